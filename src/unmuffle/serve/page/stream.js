// A client of WS /v1/stream: PCM out, PCM back, each answer with its position on the input's clock.
import { address, ServerError } from "./api.js";
import { toInt16 } from "./wav.js";

const MOST_WAITING_BYTES = 400_000;
const HEAD_BYTES = 8;

const SAID = {
  1006: "The connection to the server broke off.",
  1001: "The server is being stopped.",
  1008: "The server does not let this stream in.",
  1012: "The server is being stopped.",
  1011: "The server failed.",
  1013: "The server has no room for another stream just now. Try again in a moment.",
};

export class LiveStream {
  #socket;
  #closed = false;

  /** Open one; on has audio(position, samples), statistics(told), draining(s) and broken(error). Resolves to the server's answer. */
  open({ sampleRate, preset, strength, key }, on) {
    const url = address("v1/stream");
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      let told = null;
      const fail = (error) => {
        if (this.#closed) return;
        this.#closed = true;
        reject(error);
        on.broken(error);
      };
      const wanted = { sample_rate: sampleRate, channels: 1, format: "s16le", preset: preset || null, strength };
      socket.onopen = () => this.#say({ type: "hello", ...wanted, ...(key && { key }) });
      socket.onmessage = ({ data }) => {
        if (data instanceof ArrayBuffer) return on.audio(...unpack(data));
        const message = JSON.parse(data);
        if (message.type === "ready") resolve(message);
        else if (message.type === "statistics") on.statistics(message);
        else if (message.type === "draining") on.draining(message.seconds);
        else if (message.type === "finished") this.#finished?.();
        else if (message.type === "error") told = message;
      };
      socket.onclose = ({ code }) => {
        this.#finished?.();
        if (told) fail(new ServerError(told.code === "key_needed" ? 401 : 400, told.code, told.message));
        else fail(new ServerError(400, String(code), SAID[code] ?? SAID[1006]));
      };
    });
  }

  #finished = null;

  #say(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Send samples; false where the way is so slow that it is of no use to go on. */
  send(samples) {
    if (this.#socket.readyState !== WebSocket.OPEN) return true;
    if (this.#socket.bufferedAmount > MOST_WAITING_BYTES) return false;
    const packed = new DataView(new ArrayBuffer(samples.length * 2));
    samples.forEach((sample, i) => packed.setInt16(2 * i, toInt16(sample), true));
    this.#socket.send(packed.buffer);
    return true;
  }

  setStrength(value) {
    this.#say({ type: "strength", value });
  }

  askStatistics() {
    this.#say({ type: "statistics" });
  }

  /** Say that no more comes, take the rest that is on its way, and close. */
  async finish(patience = 2000) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return this.close();
    const rest = new Promise((resolve) => { this.#finished = resolve; });
    this.#say({ type: "finish" });
    await Promise.race([rest, new Promise((resolve) => setTimeout(resolve, patience))]);
    this.close();
  }

  close() {
    this.#closed = true;
    this.#socket?.close();
  }
}

function unpack(data) {
  const view = new DataView(data);
  const samples = new Float32Array((data.byteLength - HEAD_BYTES) / 2);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(HEAD_BYTES + 2 * i, true) / 32768;
  return [Number(view.getBigUint64(0, true)), samples];
}
