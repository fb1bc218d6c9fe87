// The tab that cleans a file: from the drop to the file that is kept.
import { forgetJob, formOf, plainWords, request, resultLink, runJob, send, showError } from "./api.js";
import { Comparison } from "./comparison.js";
import { announce, byId, clock, leftInWords, save, saveFrom, takeDrops } from "./dom.js";
import { openMicrophone, Recording } from "./microphone.js";
import { Results } from "./results.js";
import { decodeAnswer, decodeByServer, decodeFile } from "./sources.js";

const MOST_RECORDED_S = 15 * 60;
const MOST_ANALYSED_BYTES = 100e6;

export class CleanTab {
  #work = null;
  #recorder = null;
  #source = null;
  #made = [];
  #results = new Results(byId("panel-clean"));

  constructor() {
    byId("clean-choose").addEventListener("click", () => byId("clean-file").click());
    byId("clean-file").addEventListener("change", ({ target }) => {
      if (target.files.length) this.#take(target.files);
      target.value = "";
    });
    takeDrops(byId("panel-clean"), (files) => this.#take(files));
    byId("clean-record").addEventListener("click", () => this.#record());
    byId("busy-cancel").addEventListener("click", () => this.#work?.abort());
    byId("result-another").addEventListener("click", () => this.#again());
    byId("result-preset").addEventListener("change", ({ target }) => this.clean(this.#source, target.value));
    byId("treat-rest").addEventListener("click", () => this.clean(this.#source, "auto"));
    addEventListener("pagehide", () => this.#forget());
    byId("download-wav").addEventListener("click", () => this.#keep("wav"));
    byId("download-mp3").addEventListener("click", () => this.#keep("mp3"));
    byId("download-original").addEventListener("click", () => this.#keep("original"));
  }

  /** When another tab is opened, neither play nor listen on. */
  leave() {
    this.#results.pause();
    this.#recorder?.stop();
  }

  #show(part) {
    for (const name of ["start", "busy", "result"]) byId(`clean-${name}`).hidden = name !== part;
    byId("clean-error").hidden = true;
  }

  /** Have the server forget what it has made: nobody wants it any more. */
  #forget() {
    for (const id of this.#made.splice(0)) forgetJob(id);
  }

  /** One file at a time; who gives several is told. */
  #take(files) {
    this.clean(files[0]);
    byId("result-first").hidden = files.length === 1;
    byId("result-first").textContent = `You gave ${files.length} files. This page takes one at a time: here is the first.`;
  }

  #again() {
    this.#work?.abort();
    this.#forget();
    this.#results.close();
    this.#source = null;
    this.#show("start");
    byId("clean-choose").focus();
  }

  #stage(text, progress = null) {
    if (byId("busy-stage").textContent !== text) {
      byId("busy-stage").textContent = text;
      announce(text);
    }
    if (progress === null) byId("busy-progress").removeAttribute("value");
    else byId("busy-progress").value = progress;
    byId("busy-left").textContent = "";
  }

  /** Clean a file, for a preset or by the denoiser alone, and show the result. */
  async clean(file, preset = byId("clean-preset").value) {
    this.#results.close();
    this.#work?.abort();
    const work = new AbortController();
    this.#work = work;
    this.#source = file;
    this.#forget();
    this.#show("busy");
    byId("busy-title").textContent = file.name;
    byId("busy-title").focus();
    try {
      await this.#cleaned(file, preset, work.signal);
    } catch (error) {
      if (this.#work !== work) return;
      this.#show("start");
      work.abort();
      byId("clean-choose").focus();
      if (error.name === "AbortError") announce("Cancelled.");
      else showError(byId("clean-error"), error);
    }
  }

  async #cleaned(file, preset, signal) {
    this.#stage("Sending it …", 0);
    const sent = { done: () => {} };
    let begunAt = null;
    const isSent = new Promise((resolve) => { sent.done = resolve; });
    const job = runJob(file, { preset, format: "wav", strength: 1 }, {
      signal,
      onUpload: (share) => { this.#stage("Sending it …", share); if (share === 1) sent.done(); },
      onProgress: (share, state) => {
        sent.done();
        this.#stage(state === "queued" ? "Waiting for its turn …" : "Cleaning …", share);
        if (state !== "queued") begunAt ??= performance.now();
        byId("busy-left").textContent = leftInWords(share, begunAt === null ? 0 : (performance.now() - begunAt) / 1000);
      },
    });
    // What else the server is asked waits until the file itself is there; if that fails, so does all of this.
    await Promise.race([isSent, job]);
    const original = decodeFile(file).then((own) => own ?? decodeByServer(file, signal));
    const analysis = send("v1/analyze", formOf(file), { signal });
    for (const other of [original, analysis]) other.catch(() => {});
    const id = await job;
    this.#made.push(id);
    this.#stage("Fetching it …", 0);
    const answer = await request(`v1/jobs/${id}/result`, { signal });
    const enhanced = await decodeAnswer(answer, (share) => this.#stage("Fetching it …", share));
    this.#stage("Getting it ready …");
    const before = await original;
    const comparison = new Comparison(before.audio, enhanced.audio);
    await comparison.hear(signal);
    signal.throwIfAborted();
    this.#show("result");
    const whole = before.whole && enhanced.whole;
    byId("result-preset").value = preset;
    this.job = { id, preset, whole, format: before.head };
    this.#results.open(comparison, { name: file.name, whole });
    this.#name(file);
    byId("result-name").focus();
    announce(`${file.name} is clean. Press Space on the pictures to listen.`);
    this.#analysed(analysis, enhanced, signal);
  }

  #name(file) {
    const extension = file.name.includes(".") ? file.name.split(".").pop() : "";
    byId("download-original").textContent = extension ? `Like the original (.${extension})` : "Like the original";
    byId("download-original").hidden = extension.toLowerCase() === "wav";
    byId("download-state").textContent = "";
  }

  async #analysed(analysis, enhanced, signal) {
    let before;
    try {
      before = await analysis;
    } catch (error) {
      if (error.name !== "AbortError") this.#results.noAnalysis(plainWords(error));
      return;
    }
    this.#results.showAnalysis(before, null);
    if (!enhanced.whole || enhanced.buffer.byteLength > MOST_ANALYSED_BYTES) return;
    const clean = new File([enhanced.buffer], "clean.wav", { type: "audio/wav" });
    try {
      const after = await send("v1/analyze", formOf(clean), { signal });
      if (!signal.aborted) this.#results.showAnalysis(before, after);
    } catch {
      // The figures of the original stand for themselves.
    }
  }

  async #record() {
    if (this.#recorder) return this.#recorder.stop();
    const button = byId("clean-record");
    byId("clean-error").hidden = true;
    let recording = null;
    try {
      const microphone = await openMicrophone((samples) => {
        recording ??= new Recording(microphone.context.sampleRate, MOST_RECORDED_S);
        recording.add(samples);
        byId("clean-recording").textContent = `Recording, ${clock(recording.seconds)} so far.`;
        if (recording.full) this.#recorder.stop();
      });
      button.setAttribute("aria-pressed", "true");
      button.textContent = "Stop and clean";
      byId("clean-recording").hidden = false;
      announce("Recording.");
      this.#recorder = {
        stop: () => {
          this.#recorder = null;
          microphone.close();
          button.setAttribute("aria-pressed", "false");
          button.textContent = "Record";
          byId("clean-recording").hidden = true;
          if (recording?.frames) this.clean(recording.file("recording.wav"));
        },
      };
    } catch (error) {
      showError(byId("clean-error"), error);
    }
  }

  /** Make the file to be kept: WAV here, the rest by the server, both at the strength that is heard. */
  async #keep(format) {
    const { strength, comparison } = this.#results;
    const { preset, whole, format: wav, id } = this.job;
    const stem = this.#source.name.replace(/\.[^.]*$/, "") || "recording";
    const tell = (text) => { byId("download-state").textContent = text; };
    if (format === "wav" && whole) {
      save(comparison.wav(strength, wav), `${stem}.clear.wav`);
      tell("The WAV file was made here.");
      return;
    }
    const buttons = document.querySelectorAll("#clean-result .downloads button");
    buttons.forEach((button) => { button.disabled = true; });
    byId("download-progress").hidden = false;
    byId("download-progress").value = 0;
    tell("The server makes the file …");
    try {
      const made = format === "wav" && strength === 1 ? id : await this.#make(format, strength, preset, whole, wav);
      this.#made.push(made);
      const link = await resultLink(made);
      saveFrom(link.url, format === "original" ? "" : `${stem}.clear.${format}`);
      setTimeout(link.revoke, 60_000);
      tell(this.#note(format, strength, preset, whole));
    } catch (error) {
      tell(plainWords(error));
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
      byId("download-progress").hidden = true;
    }
  }

  /** Whether only the mix made here is what was heard: a preset's other stages know no strength. */
  #sendsMix(format, strength, preset, whole) {
    return preset !== "" && strength < 1 && whole && format === "mp3";
  }

  #make(format, strength, preset, whole, wav) {
    const mixed = this.#sendsMix(format, strength, preset, whole);
    const source = mixed ? new File([this.#results.comparison.wav(strength, wav)], this.#source.name) : this.#source;
    const query = mixed ? { strength: 0, format } : { preset, strength, format };
    return runJob(source, query, {
      onUpload: () => {},
      onProgress: (share) => { byId("download-progress").value = share; },
    });
  }

  #note(format, strength, preset, whole) {
    const exact = preset === "" || strength === 1 || this.#sendsMix(format, strength, preset, whole);
    return exact ? "Done." : "Done. The denoiser was set to this strength; the preset's other stages are as they were.";
  }
}
