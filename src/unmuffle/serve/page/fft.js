// Two real spectra by one complex FFT, and the mixes of both.

/** A radix-2 FFT of a size that is a power of two, in place. */
export class Fft {
  constructor(size) {
    this.size = size;
    this.cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.sin = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
    this.swapped = new Uint32Array(size);
    for (let i = 1; i < size; i++) this.swapped[i] = (this.swapped[i >> 1] >> 1) | (i & 1 ? size >> 1 : 0);
  }

  transform(re, im) {
    const { size, cos, sin, swapped } = this;
    for (let i = 0; i < size; i++) {
      const j = swapped[i];
      if (j > i) {
        [re[i], re[j]] = [re[j], re[i]];
        [im[i], im[j]] = [im[j], im[i]];
      }
    }
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0, w = 0; k < half; k++, w += stride) {
          const low = start + k;
          const high = low + half;
          const tre = re[high] * cos[w] - im[high] * sin[w];
          const tim = re[high] * sin[w] + im[high] * cos[w];
          re[high] = re[low] - tre;
          im[high] = im[low] - tim;
          re[low] += tre;
          im[low] += tim;
        }
      }
    }
  }
}

/**
 * Of z = x + iy transformed, add at each bin |X|², Re(X·conj Y) and |Y|²: with these, the power of a·X + b·Y is
 * a²·xx + 2ab·xy + b²·yy for any a and b.
 */
export function addPowers(re, im, xx, xy, yy) {
  const size = re.length;
  for (let k = 0; k <= size / 2; k++) {
    const m = (size - k) % size;
    const xre = (re[k] + re[m]) / 2;
    const xim = (im[k] - im[m]) / 2;
    const yre = (im[k] + im[m]) / 2;
    const yim = (re[m] - re[k]) / 2;
    xx[k] += xre * xre + xim * xim;
    xy[k] += xre * yre + xim * yim;
    yy[k] += yre * yre + yim * yim;
  }
}
