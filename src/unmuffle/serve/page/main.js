// The page: its tabs, the presets there are, and what the tools share.
import { request, showError } from "./api.js";
import { byId } from "./dom.js";
import { CleanTab } from "./clean.js";
import { LiveTab } from "./live.js";
import { MeasureTab } from "./measure.js";

const tabs = [...document.querySelectorAll('[role="tab"]')];
const panels = { clean: new CleanTab(), live: new LiveTab(), measure: new MeasureTab() };

function open(name, { focus = false } = {}) {
  for (const tab of tabs) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !chosen;
    if (chosen && focus) tab.focus();
    if (!chosen) panels[tab.id.slice(4)].leave();
  }
}

for (const [i, tab] of tabs.entries()) {
  tab.addEventListener("click", () => { location.hash = tab.id.slice(4); });
  tab.addEventListener("keydown", (event) => {
    const next = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    history.replaceState(null, "", `#${tabs.at(next % tabs.length).id.slice(4)}`);
    open(location.hash.slice(1), { focus: true });
  });
}

function follow() {
  const name = location.hash.slice(1);
  open(name in panels ? name : "clean");
}
addEventListener("hashchange", follow);
follow();

// A file that misses its place is not to be opened by the browser instead of the page.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());

/** What a preset is for, in the words of those who need it; others are called as the server calls them. */
const PURPOSES = {
  podcast: "A podcast",
  broadcast: "Broadcast",
  meeting: "A meeting or call",
  telephone: "A telephone line",
  hearing: "A listener with a hearing loss",
  asr: "A speech recogniser",
  forensic: "Evidence",
};

async function presets() {
  const known = await (await request("v1/presets")).json();
  for (const select of document.querySelectorAll("select.presets")) {
    const order = ({ name }) => (Object.keys(PURPOSES).indexOf(name) + 100) % 100;
    const sorted = [...known].sort((one, other) => order(one) - order(other));
    for (const { name, title } of sorted) select.append(new Option(PURPOSES[name] ?? title, name));
  }
  byId("clean-preset").addEventListener("change", ({ target }) => {
    const about = byId("clean-preset-about");
    about.textContent = known.find(({ name }) => name === target.value)?.description ?? about.dataset[target.value || "plain"];
  });
}

presets().catch((error) => showError(byId("clean-error"), error));
