// The span of time that is shown, shared by all pictures, and the ways to move it: wheel, pinch, drag, keys.
const LEAST_SPAN_S = 0.02;
const CLICK_PX = 5;

export class Timeline extends EventTarget {
  constructor(element) {
    super();
    this.element = element;
    this.duration = 0;
    this.start = 0;
    this.end = 0;
    this.#listen();
  }

  /** Show all of a recording of so many seconds. */
  open(duration) {
    this.duration = duration;
    this.show(0, duration);
  }

  /** Show a span, moved and cut to what there is. */
  show(start, end) {
    const span = Math.min(this.duration, Math.max(LEAST_SPAN_S, end - start));
    this.start = Math.min(Math.max(0, start), this.duration - span);
    this.end = this.start + span;
    this.dispatchEvent(new Event("view"));
  }

  get span() {
    return this.end - this.start;
  }

  /** Show a factor more (above 1) or less of it; the time `about` stays where it is. */
  zoom(factor, about = (this.start + this.end) / 2) {
    const span = Math.min(this.duration, Math.max(LEAST_SPAN_S, this.span / factor));
    const share = this.span > 0 ? (about - this.start) / this.span : 0.5;
    this.show(about - share * span, about + (1 - share) * span);
  }

  pan(seconds) {
    this.show(this.start + seconds, this.end + seconds);
  }

  /** The time under a point of the page. */
  timeAt(clientX) {
    const { left, width } = this.element.getBoundingClientRect();
    return this.start + ((clientX - left) / width) * this.span;
  }

  #seek(seconds) {
    this.dispatchEvent(new CustomEvent("seek", { detail: Math.min(Math.max(0, seconds), this.duration) }));
  }

  #listen() {
    this.element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#pointers();
  }

  #wheel(event) {
    const along = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (along && this.span < this.duration) {
      event.preventDefault();
      this.pan(((event.deltaX || event.deltaY) / this.element.clientWidth) * this.span);
    } else if (!along && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 120), this.timeAt(event.clientX));
    }
  }

  #pointers() {
    const down = new Map();
    let begun = null;
    const spread = () => {
      const [first, second] = [...down.values()];
      return { middle: (first + second) / 2, width: Math.max(10, Math.abs(first - second)) };
    };
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      down.set(event.pointerId, event.clientX);
      this.element.setPointerCapture(event.pointerId);
      begun = { x: event.clientX, start: this.start, moved: down.size > 1, pinch: down.size === 2 ? spread() : null };
    });
    this.element.addEventListener("pointermove", (event) => {
      if (!down.has(event.pointerId)) return;
      down.set(event.pointerId, event.clientX);
      if (down.size === 2) {
        const now = spread();
        this.zoom(now.width / begun.pinch.width, this.timeAt(now.middle));
        this.pan(((begun.pinch.middle - now.middle) / this.element.clientWidth) * this.span);
        begun.pinch = now;
      } else if (begun.moved || Math.abs(event.clientX - begun.x) > CLICK_PX) {
        begun.moved = true;
        const seconds = ((begun.x - event.clientX) / this.element.clientWidth) * this.span;
        if (this.span < this.duration) this.show(begun.start + seconds, begun.start + seconds + this.span);
      }
    });
    const up = (event) => {
      if (!down.delete(event.pointerId)) return;
      if (event.type === "pointerup" && !begun.moved) this.#seek(this.timeAt(event.clientX));
      // The finger that stays drags on from where it is.
      if (down.size === 1) begun = { x: [...down.values()][0], start: this.start, moved: true, pinch: null };
    };
    this.element.addEventListener("pointerup", up);
    this.element.addEventListener("pointercancel", up);
  }

  /** Answer a key; true if it was one of those that move. */
  key(event, position) {
    const step = event.shiftKey ? 5 : Math.min(1, this.span / 10);
    const moves = {
      ArrowLeft: () => this.#seek(position - step),
      ArrowDown: () => this.#seek(position - step),
      ArrowRight: () => this.#seek(position + step),
      ArrowUp: () => this.#seek(position + step),
      Home: () => this.#seek(0),
      End: () => this.#seek(this.duration),
      PageUp: () => this.pan(-this.span / 2),
      PageDown: () => this.pan(this.span / 2),
      "+": () => this.zoom(1.6, this.#near(position)),
      "=": () => this.zoom(1.6, this.#near(position)),
      "-": () => this.zoom(1 / 1.6, this.#near(position)),
      0: () => this.show(0, this.duration),
    };
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return false;
    moves[event.key]();
    return true;
  }

  /** Keys zoom about the cursor where it is in sight. */
  #near(position) {
    return position >= this.start && position <= this.end ? position : (this.start + this.end) / 2;
  }
}
