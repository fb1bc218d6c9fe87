// A microphone as chunks of samples, and what is recorded of it.
import { toInt16, wavHead } from "./wav.js";

const CHUNK_S = 0.01;
const PART_S = 10;

/** Say in plain words why there is no microphone. */
function whyNot(error) {
  const reasons = {
    NotAllowedError: "The browser does not let this page use a microphone: allow it beside the address, and try again.",
    NotFoundError: "No microphone was found.",
    OverconstrainedError: "The microphone that was chosen is no longer there: choose another one.",
    NotReadableError: "The microphone is in use by another program.",
  };
  return new Error(reasons[error.name] ?? error.message);
}

/** The microphones there are, once the browser lets the page use one: { id, name }. */
export async function listMicrophones() {
  const found = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  // The same device again, under another name.
  const again = ["", "default", "communications"];
  return found.filter(({ kind, deviceId, label }) => kind === "audioinput" && label && !again.includes(deviceId))
    .map(({ deviceId, label }) => ({ id: deviceId, name: label }));
}

/** Open a microphone as it is, without the browser's own cleaning; take(samples, origin) gets 10 ms at a time. */
export async function openMicrophone(take, id = "") {
  if (!navigator.mediaDevices) throw new Error("Browsers give microphones only to pages by https, or of this machine.");
  const context = new AudioContext({ latencyHint: "interactive" });
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: {
        channelCount: 1,
        echoCancellation: false,
        noiseSuppression: false,
        autoGainControl: false,
        ...(id && { deviceId: { exact: id } }),
      },
    });
    await context.audioWorklet.addModule(new URL("capture-worklet.js", import.meta.url));
    await context.resume();
    const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
    const node = new AudioWorkletNode(context, "capture", {
      numberOfOutputs: 0,
      processorOptions: { chunk: Math.round(CHUNK_S * context.sampleRate) },
    });
    node.port.onmessage = ({ data }) => take(data.samples, data.origin);
    source.connect(node);
    const track = stream.getAudioTracks()[0];
    return {
      context,
      latency: track.getSettings().latency ?? 0,
      onEnd: (act) => track.addEventListener("ended", act),
      mute() {
        node.port.onmessage = null;
        node.port.postMessage("stop");
        stream.getTracks().forEach((each) => each.stop());
      },
      close() {
        this.mute();
        return context.close();
      },
    };
  } catch (error) {
    context.close();
    throw whyNot(error);
  }
}

/** Keeps samples of one channel as 16-bit integers, in parts that the browser may put on disk. */
export class Recording {
  #open;
  #filled = 0;
  #parts = [];

  constructor(rate, mostSeconds) {
    this.rate = rate;
    this.most = mostSeconds * rate;
    this.frames = 0;
    this.#open = new Int16Array(PART_S * rate);
  }

  get seconds() {
    return this.frames / this.rate;
  }

  get full() {
    return this.frames >= this.most;
  }

  add(samples) {
    for (const sample of samples) {
      if (this.full) return;
      this.#open[this.#filled++] = toInt16(sample);
      this.frames += 1;
      if (this.#filled === this.#open.length) {
        this.#parts.push(new Blob([this.#open]));
        this.#filled = 0;
      }
    }
  }

  /** All of it as a WAVE file. */
  file(name) {
    const head = wavHead({ sampleRate: this.rate, channels: 1, bits: 16 }, this.frames);
    return new File([head, ...this.#parts, this.#open.subarray(0, this.#filled)], name, { type: "audio/wav" });
  }
}
