// The tab that measures: files in, scores and a report out.
import { address, givenKey, send, showError } from "./api.js";
import { announce, byId, figure, make, save, takeDrops } from "./dom.js";

/** The measures that most people ask for, in this order and in plain words; the others are shown on request. */
const EXPLAINED = {
  si_sdr_db: "how close it is to the clean one, in dB; more is better",
  pesq_wideband: "quality beside the clean one, 1 to 4.6; more is better",
  estoi: "how much can be understood, 0 to 1; more is better",
  dnsmos_ovrl: "how listeners would rate it, 1 to 5, as a network guesses; more is better",
  dnsmos_sig: "the voice itself, 1 to 5; more is better",
  dnsmos_bak: "the background, 1 to 5; more is better",
  estimated_snr_db: "voice over noise in dB; more is better",
  hum_dbfs: "hum of the mains in dBFS; less is better",
  loudness_lufs: "in LUFS",
  true_peak_dbtp: "highest peak in dBTP",
  artefact_score: "what the enhancer did to the sound, 0 is nothing; less is better",
  speech_level_change_db: "how much louder the voice became, in dB",
};

const SLOTS = ["noisy", "enhanced", "clean"];

export class MeasureTab {
  constructor() {
    for (const slot of document.querySelectorAll(".slot")) {
      takeDrops(slot, (files) => {
        const [input, kept] = [slot.querySelector("input"), new DataTransfer()];
        kept.items.add(files[0]);
        input.files = kept.files;
      });
    }
    byId("measure-go").addEventListener("click", () => this.#measure());
    byId("measure-form").addEventListener("submit", (event) => this.#report(event));
  }

  leave() {}

  /** What was chosen, without the slots that are empty; nothing where a needed one is. */
  #form() {
    if (!byId("measure-form").reportValidity()) return null;
    const form = new FormData();
    for (const name of SLOTS) {
      const [file] = byId(`measure-${name}`).files;
      if (file) form.append(name, file, file.name);
    }
    return form;
  }

  async #busy(act) {
    const buttons = byId("measure-form").querySelectorAll("button");
    const progress = byId("measure-progress");
    byId("measure-error").hidden = true;
    progress.hidden = false;
    progress.removeAttribute("value");
    buttons.forEach((button) => { button.disabled = true; });
    try {
      await act((share) => {
        if (share < 1) progress.value = share;
        else progress.removeAttribute("value");
        byId("measure-state").textContent = share < 1 ? "Sending the files …" : "Measuring …";
      });
      byId("measure-state").textContent = "";
    } catch (error) {
      byId("measure-state").textContent = "";
      showError(byId("measure-error"), error);
    } finally {
      progress.hidden = true;
      buttons.forEach((button) => { button.disabled = false; });
    }
  }

  #measure() {
    const form = this.#form();
    if (form) this.#busy(async (onProgress) => this.#show(await send("v1/measure", form, { onProgress })));
  }

  /** A plain form opens the report in a tab of its own; where a key is needed, which forms cannot send, it is saved. */
  #report(event) {
    if (givenKey()) {
      event.preventDefault();
      const form = this.#form();
      if (form) this.#busy(async (onProgress) =>
        save(await send("v1/measure", form, { query: { format: "html" }, onProgress, blob: true }), "report.html"));
      return;
    }
    event.target.action = address("v1/measure", { format: "html" });
    const empty = SLOTS.map((name) => byId(`measure-${name}`)).filter((input) => !input.files.length);
    empty.forEach((input) => { input.disabled = true; });
    setTimeout(() => empty.forEach((input) => { input.disabled = false; }));
  }

  #show(scores) {
    const keys = Object.keys(scores.measures);
    const first = Object.keys(EXPLAINED).filter((key) => keys.includes(key));
    const others = keys.filter((key) => !first.includes(key));
    fill(byId("measure-scores"), first, scores);
    fill(byId("measure-others"), others, scores);
    byId("measure-more").textContent = `${others.length} more measures`;
    byId("measure-result").hidden = false;
    byId("measure-title").focus();
    announce("The scores are there.");
  }
}

function fill(table, keys, scores) {
  const head = make("tr");
  for (const title of ["Measure", "Before", "After", "Change"]) head.append(make("th", title, { scope: "col" }));
  const [top, body] = [make("thead"), make("tbody")];
  top.append(head);
  body.append(...keys.map((key) => rowOf(key, scores)));
  table.replaceChildren(top, body);
}

function rowOf(key, { measures, noisy, enhanced, gains }) {
  const { name, unit, more_is_better: better } = measures[key];
  const digits = unit === "Hz" ? 0 : 2;
  const row = make("tr");
  const head = make("th", name[0].toUpperCase() + name.slice(1), { scope: "row" });
  const direction = { true: "more is better", false: "less is better" }[better];
  head.append(make("span", EXPLAINED[key] ?? [unit, direction].filter(Boolean).join(", "), { class: "about" }));
  const shown = (side) => make("td", side.failures[key] ? "not measured" : figure(side.values[key], digits));
  row.append(head, shown(noisy), shown(enhanced), changeOf(gains[key], better, digits));
  return row;
}

/** A change, and in a word whether it is for the better, where that can be told. */
function changeOf(gain, better, digits) {
  const cell = make("td");
  if (typeof gain !== "number") return cell;
  const text = figure(gain, digits);
  cell.textContent = gain > 0 && /[1-9]/.test(text) ? `+${text}` : text;
  if (typeof better === "boolean" && /[1-9]/.test(text)) {
    const word = gain > 0 === better ? "better" : "worse";
    cell.append(make("span", word, { class: `verdict ${word}` }));
  }
  return cell;
}
