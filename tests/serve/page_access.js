// What a reader of the page, or a program that reads it aloud, would stumble over; for test_page_access.py.
window.checks = (() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const visible = (selector) => all(selector).filter((element) => element.checkVisibility());
  const told = (elements) => elements.map((element) => element.outerHTML.slice(0, 120));
  const byIds = (ids) => ids.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? "").join(" ");

  const nameOf = (element) => {
    const own = element.matches("button, a, summary, [role=tab]") ? element.textContent : "";
    const names = [
      element.getAttribute("aria-label"),
      byIds(element.getAttribute("aria-labelledby") ?? ""),
      [...(element.labels ?? [])].map((label) => label.textContent).join(" "),
      element.querySelector("legend")?.textContent,
      own,
    ];
    return names.find((name) => name?.trim()) ?? "";
  };

  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };

  // Relative luminance and contrast ratio of WCAG 2.2.
  const linear = (level) => (level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const ratio = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };

  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
      if (colour[3] !== 0) throw new Error(`half transparent: ${each.outerHTML.slice(0, 80)}`);
    }
    return rgba("white");
  };

  const texts = () => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      const text = walker.currentNode.data.trim();
      if (text && element.checkVisibility() && !element.closest(".unseen, .skip, noscript, :disabled")) {
        found.push({ text, element });
      }
    }
    return found;
  };

  return {
    nameless: () => {
      const wanted = "button, a[href], input, select, summary, progress, dialog, fieldset, " +
        "[role]:not([role=status]):not([role=alert])";
      return told(visible(wanted).filter((element) => !nameOf(element)));
    },
    references: () => {
      const ids = all("[id]").map(({ id }) => id);
      const named = ["for", "aria-labelledby", "aria-describedby", "aria-controls"].flatMap((name) =>
        all(`[${name}]`).flatMap((element) => element.getAttribute(name).split(/\s+/)));
      return [...ids.filter((id, i) => ids.indexOf(id) !== i), ...named.filter((id) => !document.getElementById(id))];
    },
    headings: () => visible("h1, h2, h3").map((heading) => Number(heading.tagName[1])),
    contrasts: () => texts().map(({ text, element }) => {
      const { color, fontSize, fontWeight } = getComputedStyle(element);
      const size = parseFloat(fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700);
      return { text: text.slice(0, 40), ratio: ratio(rgba(color), behind(element)), large };
    }),
    edges: () => {
      const style = getComputedStyle(document.documentElement);
      const of = (name) => rgba(style.getPropertyValue(name).trim());
      return ["--ground", "--surface"].flatMap((under) =>
        ["--edge", "--accent"].map((name) => ratio(of(name), of(under))));
    },
    moving: () => told(all("*").filter((element) => {
      const { transitionDuration, animationName } = getComputedStyle(element);
      return animationName !== "none" || transitionDuration.split(",").some((time) => parseFloat(time) > 0);
    })),
    outside: () => told(visible("main *").filter((element) =>
      !element.closest(".unseen, .scroll, svg") && element.getBoundingClientRect().right > innerWidth + 1)),
    small: () => {
      const touched = "button, select, summary, input[type=range], .switch, .choice label";
      return told(visible(touched).filter((element) => element.getBoundingClientRect().height < 38));
    },
    focused: () => {
      const { id, value, textContent } = document.activeElement;
      return id || value || textContent.trim();
    },
    outline: () => {
      const element = document.activeElement;
      return getComputedStyle(element.matches("[type=radio]") ? element.nextElementSibling : element).outlineStyle;
    },
    links: () => all("link[href], script[src], img[src], a[href], form[action]").map((element) =>
      element.getAttribute("href") ?? element.getAttribute("src") ?? element.getAttribute("action")),
  };
})();
