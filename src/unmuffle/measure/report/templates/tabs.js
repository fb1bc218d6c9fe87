// Rows of buttons of which each shows one panel. Without a script all panels stand one below the other.
document.documentElement.classList.add('scripted');

for (const row of document.querySelectorAll('[data-tabs]')) {
  const buttons = [...row.querySelectorAll('button')];
  const panelOf = (button) => document.getElementById(button.dataset.panel);

  const choose = (chosen) => {
    for (const button of buttons) {
      const isChosen = button === chosen;
      button.setAttribute('aria-selected', String(isChosen));
      button.tabIndex = isChosen ? 0 : -1;
      panelOf(button).hidden = !isChosen;
    }
  };

  row.setAttribute('role', 'tablist');
  buttons.forEach((button, place) => {
    button.id = `${row.dataset.tabs}-tab-${place}`;
    button.setAttribute('role', 'tab');
    button.setAttribute('aria-controls', button.dataset.panel);
    panelOf(button).setAttribute('role', 'tabpanel');
    panelOf(button).setAttribute('aria-labelledby', button.id);
    button.addEventListener('click', () => choose(button));
  });
  row.addEventListener('keydown', (event) => {
    const place = buttons.indexOf(document.activeElement);
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (place < 0 || next === undefined) return;
    event.preventDefault();
    const button = buttons[(next + buttons.length) % buttons.length];
    choose(button);
    button.focus();
  });
  choose(buttons[0]);
}
