// The table of all clips: filtered, sorted, and shown a page at a time, so that thousands of rows open at once.
const PAGE = 50;
const MOST_CHOICES = 40;

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

const shown = (value, column) => {
  if (value === null) return '–';
  if (typeof value !== 'number') return String(value).replace('-inf', '−∞').replace(/^inf$/, '∞');
  const text = column.decimals === undefined ? String(value) : value.toFixed(column.decimals);
  return text.replace('-', '−');
};

const asNumber = (value) => ({ inf: Infinity, '-inf': -Infinity }[value] ?? value);

const compare = (first, second) => {
  const [a, b] = [asNumber(first), asNumber(second)];
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 0 : a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
};

const place = document.querySelector('.clip-table');
const { columns, rows, failed } = JSON.parse(document.getElementById(place.dataset.source).textContent);
const texts = columns.flatMap((column, index) => (column.kind === 'text' || column.kind === 'choice' ? [index] : []));
const last = columns.length - 1;
const failedRows = new Set(failed.map((index) => rows[index]));
const state = { found: rows, column: null, sign: 1, page: 0 };

const search = element('input', { type: 'search', autocomplete: 'off' });
const failedOnly = element('input', { type: 'checkbox' });
const choices = columns.flatMap((column, index) => {
  if (column.kind !== 'choice' && column.kind !== 'level') return [];
  const values = [...new Set(rows.map((row) => row[index]).filter((value) => value !== null))].sort(compare);
  if (values.length < 2 || values.length > MOST_CHOICES) return [];
  const select = element('select', {}, element('option', { value: '', textContent: 'all' }));
  values.forEach((value) => select.append(element('option', { value: String(value), textContent: shown(value, column) })));
  return [{ index, select, title: column.title }];
});

const tools = element('div', { className: 'tools' }, element('label', {}, 'Search', search));
choices.forEach(({ title, select }) => tools.append(element('label', {}, title, select)));
if (failed.length) {
  tools.append(element('label', { className: 'check' }, failedOnly, 'Failed clips only'));
}

const head = element('tr');
const heads = columns.map((column, index) => {
  const button = element('button', { type: 'button', textContent: column.title });
  const cell = element('th', { scope: 'col', className: column.kind === 'number' || column.kind === 'level' ? 'number' : '' }, button);
  cell.setAttribute('aria-sort', 'none');
  button.addEventListener('click', () => sortBy(index));
  head.append(cell);
  return cell;
});
const body = element('tbody');
const table = element('table', {}, element('caption', { className: 'hidden', textContent: 'All clips after each enhancer' }), element('thead', {}, head), body);
const scroll = element('div', { className: 'scroll', tabIndex: 0 }, table);
scroll.setAttribute('role', 'region');
scroll.setAttribute('aria-label', 'All clips');

const back = element('button', { type: 'button', className: 'tool', textContent: '← Before' });
const on = element('button', { type: 'button', className: 'tool', textContent: 'Next →' });
const told = element('span');
told.setAttribute('role', 'status');
const pages = element('div', { className: 'pages' }, back, on, told);

const draw = () => {
  const start = state.page * PAGE;
  const page = state.found.slice(start, start + PAGE);
  body.replaceChildren(...page.map((row) => {
    const line = element('tr');
    row.forEach((value, index) => {
      const cell = element(index ? 'td' : 'th', { textContent: shown(value, columns[index]) });
      if (!index) Object.assign(cell, { scope: 'row', title: value });
      else if (index === last) Object.assign(cell, { className: 'why', title: value ?? '' });
      else if (columns[index].kind === 'text' || columns[index].kind === 'choice') Object.assign(cell, { className: 'text', title: value ?? '' });
      else if (columns[index].kind === 'number' || columns[index].kind === 'level') cell.className = 'number';
      line.append(cell);
    });
    return line;
  }));
  const count = state.found.length.toLocaleString('en');
  told.textContent = page.length ? `${start + 1} to ${start + page.length} of ${count}` : 'nothing fits';
  back.disabled = state.page === 0;
  on.disabled = start + PAGE >= state.found.length;
};

const order = () => {
  if (state.column === null) return;
  const { column, sign } = state;
  state.found.sort((one, two) => {
    const [a, b] = [one[column], two[column]];
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * compare(a, b);
  });
};

const sortBy = (column) => {
  const first = columns[column].kind === 'number' ? -1 : 1;
  state.sign = state.column === column ? -state.sign : first;
  state.column = column;
  heads.forEach((cell, index) => {
    const order = state.sign > 0 ? 'ascending' : 'descending';
    cell.setAttribute('aria-sort', index === column ? order : 'none');
  });
  state.page = 0;
  order();
  draw();
};

const filter = () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = choices.filter(({ select }) => select.value !== '');
  state.found = rows.filter((row) => {
    if (failedOnly.checked && !failedRows.has(row)) return false;
    if (chosen.some(({ index, select }) => String(row[index]) !== select.value)) return false;
    return words.every((word) => texts.some((index) => String(row[index] ?? '').toLowerCase().includes(word)));
  });
  state.page = 0;
  order();
  draw();
};

search.addEventListener('input', filter);
tools.addEventListener('change', filter);
back.addEventListener('click', () => { state.page -= 1; draw(); });
on.addEventListener('click', () => { state.page += 1; draw(); });
place.append(tools, scroll, pages);
filter();
