// Players: all versions of a clip run in step, and one of them is heard; changing it changes nothing but the gains.
const FADE_S = 0.008;
const PLAY = 'M5 3l13 8-13 8z';
const PAUSE = 'M5 3h4v16H5zM13 3h4v16h-4z';
let context = null;
let playing = null;

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

const bytesOf = (uri) => Uint8Array.from(atob(uri.slice(uri.indexOf(',') + 1)), (letter) => letter.charCodeAt(0)).buffer;

const signed = (db) => `${db < 0 ? '−' : '+'}${Math.abs(db).toFixed(1)} dB`;

class Player {
  constructor(place, data, first) {
    this.versions = data.versions;
    this.current = Math.max(0, this.versions.findIndex((version) => version.name === first));
    this.position = 0;
    this.seconds = data.seconds;
    this.sources = [];
    this.build(place, data);
    this.choose(this.current);
  }

  build(place, data) {
    this.icon = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    const drawing = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    drawing.setAttribute('viewBox', '0 0 22 22');
    drawing.setAttribute('aria-hidden', 'true');
    drawing.append(this.icon);
    this.button = element('button', { type: 'button', className: 'play' }, drawing);
    this.seek = element('input', { type: 'range', className: 'seek', min: 0, max: 1, step: 0.001, value: 0 });
    this.seek.setAttribute('aria-label', 'Position');
    this.time = element('span', { className: 'time', textContent: `0:00 / ${clock(data.seconds)}` });
    this.matched = element('input', { type: 'checkbox', checked: true });
    this.loops = element('input', { type: 'checkbox' });
    const transport = element('div', { className: 'transport' }, this.button, this.seek, this.time,
      element('label', { className: 'check' }, this.matched, 'Same loudness'),
      element('label', { className: 'check' }, this.loops, 'Repeat'));
    this.group = element('div', { className: 'versions' });
    this.group.setAttribute('role', 'radiogroup');
    this.group.setAttribute('aria-label', 'Version that is heard');
    this.tiles = this.versions.map((version, index) => this.tile(version, index));
    const help = element('p', { className: 'help' },
      'Space plays and pauses, number keys and arrow keys change the version. Spectrograms go up to half the sample rate and share one colour scale; the dB tell what was added for the same loudness.');
    this.root = element('div', { className: 'player' }, transport, this.group, help);
    this.root.setAttribute('role', 'group');
    this.root.setAttribute('aria-label', `Player of ${data.clip}`);
    this.button.addEventListener('click', () => this.toggle());
    this.seek.addEventListener('input', () => this.moveTo(this.seek.value * this.seconds));
    this.matched.addEventListener('change', () => this.mix());
    this.root.addEventListener('keydown', (event) => this.key(event));
    this.showState(false);
    place.prepend(this.root);
  }

  tile(version, index) {
    const head = element('span', { className: 'version-head' },
      ...(index < 9 ? [element('kbd', { textContent: index + 1 })] : []),
      element('span', { className: 'version-name', textContent: version.name }),
      element('span', { className: 'version-gain', textContent: version.lufs === null ? 'silent' : signed(version.gain) }));
    const line = element('span', { className: 'head' });
    const picture = element('img', { src: version.image, alt: '' });
    const tile = element('button', { type: 'button', className: 'version' }, head,
      element('span', { className: 'picture' }, picture, line));
    const told = version.lufs === null ? 'too quiet to match' : `${version.lufs.toFixed(1)} LUFS, ${signed(version.gain)} for the same loudness`;
    tile.title = `${version.name}: ${told}`;
    tile.setAttribute('role', 'radio');
    tile.setAttribute('aria-label', `${version.name}, ${told}`);
    tile.addEventListener('click', (event) => {
      this.choose(index);
      // A click into the picture goes there too; one by the keyboard has no place.
      const box = picture.getBoundingClientRect();
      if (event.detail && event.clientY >= box.top) this.moveTo((event.clientX - box.left) / box.width * this.seconds);
    });
    this.group.append(tile);
    return { tile, line };
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const isVersion = event.target.getAttribute('role') === 'radio';
    if (event.key === ' ' && event.target !== this.button && event.target.type !== 'checkbox') this.toggle();
    else if (/^[1-9]$/.test(event.key) && event.key <= this.versions.length) this.choose(event.key - 1, isVersion);
    else if (step && isVersion) this.choose((this.current + step + this.versions.length) % this.versions.length, true);
    else return;
    event.preventDefault();
  }

  choose(index, focus = false) {
    this.current = index;
    this.tiles.forEach(({ tile }, each) => {
      tile.setAttribute('aria-checked', String(each === index));
      tile.tabIndex = each === index ? 0 : -1;
    });
    if (focus) this.tiles[index].tile.focus();
    this.mix();
  }

  gainOf(index) {
    if (index !== this.current) return 0;
    return this.matched.checked ? 1 : 10 ** (-this.versions[index].gain / 20);
  }

  mix() {
    this.sources.forEach(({ gain }, index) => {
      gain.gain.setTargetAtTime(this.gainOf(index), context.currentTime, FADE_S / 3);
    });
  }

  async load() {
    context ??= new AudioContext();
    if (context.state === 'suspended') context.resume();
    this.buffers ??= Promise.all(this.versions.map(({ audio }) => context.decodeAudioData(bytesOf(audio))));
    return this.buffers;
  }

  async toggle() {
    if (playing === this) { this.pause(); return; }
    playing?.pause();
    playing = this;
    this.showState(true);
    try {
      const buffers = await this.load();
      if (playing === this) this.start(buffers);
    } catch (error) {
      this.pause();
      this.time.textContent = 'this browser cannot decode it';
    }
  }

  start(buffers) {
    if (this.position >= this.seconds - 0.01) this.position = 0;
    this.began = context.currentTime + 0.02;
    this.from = this.position;
    this.sources = buffers.map((buffer, index) => {
      const gain = new GainNode(context, { gain: this.gainOf(index) });
      const source = new AudioBufferSourceNode(context, { buffer });
      source.connect(gain).connect(context.destination);
      source.start(this.began, Math.min(this.position, buffer.duration));
      return { source, gain };
    });
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.follow());
  }

  stopSources() {
    cancelAnimationFrame(this.frame);
    this.sources.forEach(({ source, gain }) => { source.stop(); gain.disconnect(); });
    this.sources = [];
  }

  pause() {
    this.stopSources();
    if (playing === this) playing = null;
    this.showState(false);
  }

  async moveTo(seconds) {
    this.position = Math.max(0, Math.min(seconds, this.seconds));
    if (this.sources.length) {
      this.stopSources();
      this.start(await this.buffers);
    }
    this.showPosition();
  }

  follow() {
    this.position = Math.max(this.from, Math.min(this.from + context.currentTime - this.began, this.seconds));
    this.showPosition();
    if (this.position < this.seconds) {
      this.frame = requestAnimationFrame(() => this.follow());
    } else if (this.loops.checked) {
      this.moveTo(0);
    } else {
      this.pause();
    }
  }

  showPosition() {
    const share = this.position / this.seconds;
    this.seek.value = share;
    this.time.textContent = `${clock(this.position)} / ${clock(this.seconds)}`;
    this.seek.setAttribute('aria-valuetext', `${this.position.toFixed(1)} of ${this.seconds.toFixed(1)} seconds`);
    this.tiles.forEach(({ line }) => { line.style.left = `${100 * share}%`; });
  }

  showState(isPlaying) {
    this.icon.setAttribute('d', isPlaying ? PAUSE : PLAY);
    this.button.setAttribute('aria-label', isPlaying ? 'Pause' : 'Play');
  }
}

const stored = new Map([...document.querySelectorAll('script[data-listen]')].map((block) => [block.dataset.listen, block]));

const openClip = (details) => {
  const place = details.querySelector('.player-place');
  const block = stored.get(details.dataset.clip);
  if (!details.open || !place || !block || details.player) return;
  details.player = new Player(place, JSON.parse(block.textContent), details.dataset.version);
};

for (const details of document.querySelectorAll('details.clip')) {
  openClip(details);
  details.addEventListener('toggle', () => {
    openClip(details);
    if (!details.open && playing && playing === details.player) playing.pause();
  });
}
