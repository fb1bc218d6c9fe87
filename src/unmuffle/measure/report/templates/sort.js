// Tables whose column heads sort their rows; what has no value stays at the end.
const compare = (first, second) => {
  const numbers = [Number(first), Number(second)];
  return numbers.some(Number.isNaN) ? first.localeCompare(second) : numbers[0] - numbers[1];
};

for (const table of document.querySelectorAll('[data-sortable]')) {
  const heads = [...table.tHead.rows[0].cells];
  const valueOf = (row, column) => row.cells[column].dataset.value;

  const sortBy = (column) => {
    const head = heads[column];
    const first = head.dataset.first || 'ascending';
    const other = first === 'ascending' ? 'descending' : 'ascending';
    const order = head.getAttribute('aria-sort') === first ? other : first;
    heads.forEach((each) => each.setAttribute('aria-sort', each === head ? order : 'none'));
    const sign = order === 'ascending' ? 1 : -1;
    const rows = [...table.tBodies[0].rows];
    rows.sort((one, two) => {
      const [a, b] = [valueOf(one, column), valueOf(two, column)];
      if (a === '' || b === '') return (a === '') - (b === '');
      return sign * compare(a, b);
    });
    table.tBodies[0].append(...rows);
  };

  heads.forEach((head, column) => head.querySelector('button').addEventListener('click', () => sortBy(column)));
}
