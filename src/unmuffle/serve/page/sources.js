// Brings original and result into the page, as far as there is room for them.
import { formOf, request } from "./api.js";
import { decodeWav, readHead } from "./wav.js";

/** Samples of all channels that are compared at most: 48 million of each side, 400 MB in all. */
export const MOST_SAMPLES = 48e6;
const HEAD_BYTES = 1 << 16;

/** Bytes that hold the head and as many frames as there is room for; all of them where there is no telling. */
function bytesWanted(beginning, most) {
  const head = readHead(beginning);
  return head ? head.start + Math.floor(most / head.channels) * head.frameBytes : Infinity;
}

function decoded(buffer, whole, most) {
  const wav = decodeWav(buffer, Math.floor(most / (readHead(buffer)?.channels ?? 1)));
  return wav && { ...wav, whole: whole && wav.audio.length >= wav.head.told };
}

/** Decode a file that is a WAVE file in itself; null where it is not. */
export async function decodeFile(file, most = MOST_SAMPLES) {
  const wanted = bytesWanted(await file.slice(0, HEAD_BYTES).arrayBuffer(), most);
  if (wanted === Infinity) return null;
  const part = file.slice(0, wanted);
  return decoded(await part.arrayBuffer(), part.size === file.size, most);
}

/** Decode a WAVE file that the server answers with, as far as there is room: { audio, head, whole, buffer }. */
export async function decodeAnswer(response, onProgress = () => {}, most = MOST_SAMPLES) {
  const size = Number(response.headers.get("Content-Length")) || 0;
  const reader = response.body.getReader();
  const parts = [];
  let [length, wanted, whole] = [0, null, false];
  while (length < (wanted ?? Infinity)) {
    const { value, done } = await reader.read();
    if (done) { whole = true; break; }
    parts.push(value);
    length += value.length;
    if (wanted === null && length >= HEAD_BYTES) {
      wanted = bytesWanted(await new Blob(parts).slice(0, HEAD_BYTES).arrayBuffer(), most);
    }
    if (size) onProgress(Math.min(1, length / Math.min(size, wanted ?? size)));
  }
  if (!whole) reader.cancel().catch(() => {});
  const buffer = await new Blob(parts).arrayBuffer();
  const audio = decoded(buffer, whole, most);
  if (!audio) throw new Error("The server's answer is not a WAVE file.");
  return { ...audio, buffer };
}

/** The original as the server reads it: at a strength of 0 it comes back sample for sample, as a WAVE file. */
export async function decodeByServer(file, signal) {
  const query = { strength: 0, format: "wav" };
  return decodeAnswer(await request("v1/enhance", { method: "POST", body: formOf(file), query, signal }));
}
