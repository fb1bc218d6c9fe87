// Hands what a microphone gives to the page in chunks of equal length, all channels mixed to one.
class Capture extends AudioWorkletProcessor {
  constructor({ processorOptions: { chunk } }) {
    super();
    this.chunk = chunk;
    this.samples = new Float32Array(chunk);
    this.filled = 0;
    this.origin = null;
    this.running = true;
    this.port.onmessage = () => { this.running = false; };
  }

  process([input]) {
    if (!this.running) return false;
    if (!input.length) return true;
    // The clock of the context at the first sample, against which the way there and back is measured.
    this.origin ??= currentFrame;
    for (let i = 0; i < input[0].length; i++) {
      let sum = 0;
      for (const channel of input) sum += channel[i];
      this.samples[this.filled++] = sum / input.length;
      if (this.filled === this.chunk) this.#send();
    }
    return true;
  }

  #send() {
    this.port.postMessage({ origin: this.origin, samples: this.samples }, [this.samples.buffer]);
    this.samples = new Float32Array(this.chunk);
    this.filled = 0;
  }
}

registerProcessor("capture", Capture);
