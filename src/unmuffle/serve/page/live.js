// The live tab: microphone to server to ears, and what is to be told of the way.
import { askForKey, givenKey, showError } from "./api.js";
import { announce, byId, clock, figure, save } from "./dom.js";
import { listMicrophones, openMicrophone, Recording } from "./microphone.js";
import { LiveStream } from "./stream.js";

const RESERVE_S = 0.04;
const MOST_RECORDED_S = 30 * 60;
const STATISTICS_MS = 2000;
const FLOOR_DB = -60;
const KEPT_CHUNKS = 512;
const SMOOTHING = 0.12;

const decibels = (power) => 10 * Math.log10(power + 1e-12);

/** The level of chunks, and of the same chunks when they come back. */
class Levels {
  constructor(chunk) {
    this.chunk = chunk;
    this.powers = new Float64Array(KEPT_CHUNKS);
    this.sent = 0;
    this.came = { chunk: 0, power: 0, filled: 0 };
    this.in = this.out = { level: FLOOR_DB, peak: FLOOR_DB };
    this.inMean = this.outMean = 1e-9;
  }

  goes(samples) {
    const { power, peak } = measured(samples);
    this.powers[this.sent++ % KEPT_CHUNKS] = power;
    this.in = fall(this.in, power, peak);
  }

  comes(position, samples) {
    const { power, peak } = measured(samples);
    this.out = fall(this.out, power, peak);
    const at = Math.floor(position / this.chunk);
    if (this.sent - at >= KEPT_CHUNKS) return;
    this.inMean += SMOOTHING * (this.powers[at % KEPT_CHUNKS] - this.inMean);
    this.outMean += SMOOTHING * (power - this.outMean);
  }

  /** How much quieter it came back than the same moment went, in dB. */
  get taken() {
    return Math.max(0, decibels(this.inMean) - decibels(this.outMean));
  }
}

function measured(samples) {
  let [sum, peak] = [0, 0];
  for (const sample of samples) {
    sum += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  return { power: sum / samples.length, peak };
}

/** A meter rises at once and falls by 20 dB a second or so. */
const fall = (before, power, peak) => ({
  level: Math.max(decibels(power), before.level - 0.4),
  peak: Math.max(decibels(peak * peak), before.peak - 0.15),
});

export class LiveTab {
  #session = null;
  #recordings = null;
  #recording = false;

  constructor() {
    byId("live-start").addEventListener("click", () => (this.#session ? this.stop() : this.start()));
    byId("live-on").addEventListener("change", () => this.#strength());
    byId("live-strength").addEventListener("input", ({ target }) => {
      byId("live-strength-value").textContent = `${target.value} %`;
      target.setAttribute("aria-valuetext", `${target.value} %`);
      this.#strength();
    });
    byId("live-hear").addEventListener("change", () => this.#hear());
    byId("live-record").addEventListener("click", () => this.#record(!this.#recording));
    for (const name of ["preset", "microphone"]) {
      byId(`live-${name}`).addEventListener("change", () => this.#session && this.stop().then(() => this.start()));
    }
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#offerMicrophones());
    byId("live-save-clean").addEventListener("click", () => this.#save("clean"));
    byId("live-save-original").addEventListener("click", () => this.#save("original"));
  }

  leave() {
    this.stop();
  }

  /** The strength that is to be heard now: none while it is off. */
  get strength() {
    return byId("live-on").checked ? byId("live-strength").value / 100 : 0;
  }

  async start() {
    byId("live-error").hidden = true;
    byId("live-start").disabled = true;
    this.#state("Opening the microphone …");
    const session = { sent: 0, waiting: [], levels: null, stream: new LiveStream() };
    try {
      const take = (samples, origin) => this.#captured(session, samples, origin);
      session.microphone = await openMicrophone(take, byId("live-microphone").value);
      session.microphone.onEnd(() => this.#fail(new Error("The microphone went away.")));
      await this.#connect(session);
    } catch (error) {
      session.stream.close();
      await session.microphone?.close();
      this.#state("Off.");
      showError(byId("live-error"), error);
      return;
    } finally {
      byId("live-start").disabled = false;
    }
    this.#session = session;
    byId("live-start").textContent = "Stop";
    byId("live-record").disabled = false;
    this.#state("On: speak.");
    this.#offerMicrophones();
    session.asking = setInterval(() => session.stream.askStatistics(), STATISTICS_MS);
    this.#draw(session);
  }

  /** Offer a choice where there are several; browsers name them once the page may use one. */
  async #offerMicrophones() {
    const select = byId("live-microphone");
    const found = await listMicrophones();
    const chosen = select.value;
    select.replaceChildren(select.options[0], ...found.map(({ id, name }) => new Option(name, id)));
    select.value = found.some(({ id }) => id === chosen) ? chosen : "";
    byId("live-microphones").hidden = found.length < 2;
  }

  async #connect(session) {
    const { context } = session.microphone;
    await context.audioWorklet.addModule(new URL("playback-worklet.js", import.meta.url));
    session.player = new AudioWorkletNode(context, "playback", {
      numberOfInputs: 0, outputChannelCount: [1], processorOptions: { reserve: RESERVE_S },
    });
    session.player.port.onmessage = ({ data }) => this.#reported(session, data);
    session.volume = new GainNode(context, { gain: byId("live-hear").checked ? 1 : 0 });
    session.player.connect(session.volume).connect(context.destination);
    const options = { sampleRate: context.sampleRate, preset: byId("live-preset").value, strength: this.strength };
    const on = {
      audio: (position, samples) => this.#came(session, position, samples),
      statistics: (told) => this.#told(told),
      draining: (seconds) => this.#state(`The server will be stopped in ${Math.ceil(seconds)} s.`),
      broken: (error) => this.#session === session && this.#fail(error),
    };
    for (;;) {
      try {
        session.ready = await session.stream.open({ ...options, key: givenKey() }, on);
        break;
      } catch (error) {
        if (error.status !== 401 || !(await askForKey())) throw error;
        session.stream = new LiveStream();
      }
    }
    byId("live-latency").textContent = figure((1000 * session.ready.latency_samples) / context.sampleRate, 0, "ms");
    session.open = true;
  }

  /** A chunk came from the microphone: the first one that is sent begins the clock of positions. */
  #captured(session, samples, origin) {
    if (!session.open) {
      session.skipped = (session.skipped ?? 0) + samples.length;
      return;
    }
    if (!session.levels) {
      session.levels = new Levels(samples.length);
      session.player.port.postMessage({ origin: origin + (session.skipped ?? 0) });
    }
    session.levels.goes(samples);
    if (this.#recording) this.#recordings.original.add(samples);
    if (!session.stream.send(samples)) this.#fail(new Error("The way to the server is too slow for live sound."));
    session.sent += samples.length;
  }

  #came(session, position, samples) {
    session.levels.comes(position, samples);
    if (this.#recording) this.#addClean(session, position, samples);
    session.player.port.postMessage({ position, samples }, [samples.buffer]);
  }

  /** Both sides of a recording begin at the same moment: what was sent before it is left out when it comes back. */
  #addClean(session, position, samples) {
    const before = this.#recordings.from - position;
    if (before < samples.length) this.#recordings.clean.add(before > 0 ? samples.subarray(before) : samples);
    byId("live-recorded").textContent = `Recording, ${clock(this.#recordings.clean.seconds)} so far.`;
    if (this.#recordings.clean.full) this.#record(false);
  }

  async stop() {
    const session = this.#session;
    if (!session) return;
    this.#session = null;
    clearInterval(session.asking);
    byId("live-start").textContent = "Start";
    this.#state("Off.");
    session.open = false;
    session.microphone.mute();
    await session.stream.finish();
    this.#record(false);
    byId("live-record").disabled = true;
    session.player.port.postMessage({ stop: true });
    await session.microphone.close();
  }

  #fail(error) {
    showError(byId("live-error"), error);
    this.stop();
  }

  #state(text) {
    byId("live-state").textContent = text;
  }

  #strength() {
    this.#session?.stream.setStrength(this.strength);
  }

  #hear() {
    const session = this.#session;
    const volume = byId("live-hear").checked ? 1 : 0;
    session?.volume.gain.setTargetAtTime(volume, session.microphone.context.currentTime, 0.01);
  }

  #record(on) {
    if (on === this.#recording) return;
    this.#recording = on;
    if (on) {
      const { sampleRate } = this.#session.microphone.context;
      this.#recordings = {
        from: this.#session.sent,
        clean: new Recording(sampleRate, MOST_RECORDED_S),
        original: new Recording(sampleRate, MOST_RECORDED_S),
      };
    }
    byId("live-record").setAttribute("aria-pressed", String(on));
    byId("live-record").textContent = on ? "Stop recording" : "Record";
    const there = !on && this.#recordings.clean.frames > 0;
    byId("live-save-clean").disabled = byId("live-save-original").disabled = !there;
    if (there) byId("live-recorded").textContent = `${clock(this.#recordings.clean.seconds)} recorded.`;
    announce(on ? "Recording." : "Recording stopped.");
  }

  #save(side) {
    save(this.#recordings[side].file(""), side === "clean" ? "live.clear.wav" : "live.wav");
  }

  #reported(session, { late, held, dropouts, reserve }) {
    if (this.#session !== session) return;
    const { context, latency } = session.microphone;
    const device = latency + (context.outputLatency || context.baseLatency || 0);
    const inMs = (frames) => (1000 * frames) / context.sampleRate;
    if (late !== null) byId("live-round-trip").textContent = figure(inMs(late) + 1000 * device, 0, "ms");
    byId("live-reserve").textContent = `${figure(inMs(held), 0, "ms")} (${figure(inMs(reserve), 0)} wanted)`;
    byId("live-dropouts").textContent = String(dropouts);
  }

  #told({ deadline_misses: misses, frames }) {
    byId("live-late").textContent = `${misses} of ${frames}`;
  }

  #draw(session) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const draw = () => {
      if (this.#session !== session) return this.#quiet();
      if (session.levels) this.#meters(session.levels);
      if (calm) setTimeout(draw, 250);
      else requestAnimationFrame(draw);
    };
    draw();
  }

  #quiet() {
    for (const name of ["in", "out"]) meter(name, FLOOR_DB, FLOOR_DB, "–", "silent");
    meter("taken", 0, null, "–", "nothing");
  }

  #meters(levels) {
    for (const name of ["in", "out"]) {
      const { level, peak } = levels[name];
      const text = level <= FLOOR_DB ? "silent" : figure(level, 0, "dBFS");
      meter(name, level, peak, text, text);
    }
    const text = figure(levels.taken, 0, "dB");
    meter("taken", levels.taken, null, text, text);
  }
}

function meter(name, value, peak, reading, spoken) {
  const element = byId(`meter-${name}`);
  const least = Number(element.getAttribute("aria-valuemin"));
  const most = Number(element.getAttribute("aria-valuemax"));
  const share = (at) => Math.min(1, Math.max(0, (at - least) / (most - least)));
  element.querySelector(".level").style.transform = `scaleX(${share(value)})`;
  const mark = element.querySelector(".peak");
  if (mark) {
    mark.style.left = `calc(${100 * share(peak)}% - 3px)`;
    mark.style.opacity = share(peak) > 0 ? "1" : "0";
  }
  const now = Math.min(most, Math.max(least, Math.round(value)));
  if (element.getAttribute("aria-valuenow") === String(now)) return;
  element.setAttribute("aria-valuenow", now);
  element.setAttribute("aria-valuetext", spoken);
  byId(`meter-${name}-text`).textContent = reading;
}
