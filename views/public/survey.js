// Comfort for the form of a survey, which works whole without it: questions that depend on others come and go at once, the
// draft keeps itself, rankings move by buttons.

const form = document.querySelector('form[data-survey]');
if (form) {
  followConditions();
  nameButton();
  for (const list of form.querySelectorAll('.ranking')) moveByButtons(list);
  for (const words of form.querySelectorAll('.choice--other input[type="text"]')) tickWith(words);
  if (form.hasAttribute('data-draft')) keepDraft();
  for (const link of document.querySelectorAll('#errors a[href^="#"]')) link.addEventListener('click', focusInside);
  for (const row of form.querySelectorAll('[data-starts]')) tellOwnTime(row);
}

/** A mistake about a group of choices leads to its first one. */
function focusInside(event) {
  const group = document.getElementById(event.currentTarget.hash.slice(1));
  if (!group?.matches('fieldset')) return;
  event.preventDefault();
  group.scrollIntoView();
  group.querySelector('input:not([type="hidden"]), select')?.focus({ preventScroll: true });
}

/** Hidden fields are not sent: what was typed there stays in them, should they come back. */
function followConditions() {
  const dependent = [...form.querySelectorAll('[data-show-if]')].map((element) => ({
    element,
    condition: JSON.parse(element.dataset.showIf),
  }));
  // What hangs on a question of another page was decided by the server.
  const known = dependent.filter(({ condition }) => fieldsOf(condition.question).length > 0);
  const follow = () => {
    for (const { element, condition } of known) element.hidden = !holds(condition);
    for (const field of form.querySelectorAll('.survey-section :is(input, select, textarea)')) {
      field.disabled = field.closest('[hidden]') !== null;
    }
  };
  for (const { element } of known) {
    for (const hint of element.querySelectorAll(':scope > [data-condition]')) hint.hidden = true;
  }
  if (known.length === 0) return;
  form.addEventListener('input', follow);
  follow();
}

/** A slot in the reader's own time zone, where that differs. */
function tellOwnTime(row) {
  const { starts, ends, zone, own } = row.dataset;
  const language = document.documentElement.lang;
  const parts = { weekday: 'short', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' };
  const write = (timeZone) => {
    const format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, { ...parts, timeZone });
    return ends ? format.formatRange(new Date(starts), new Date(ends)) : format.format(new Date(starts));
  };
  const here = write(undefined);
  if (here === write(zone)) return;
  const line = document.createElement('span');
  line.className = 'survey-grid-own';
  line.textContent = own.replace('%', here);
  row.querySelector('.survey-grid-label').append(line);
}

/** Whether another page follows is known as soon as it is answered. */
function nameButton() {
  const button = form.querySelector('button[data-follows]');
  if (!button) return;
  const ways = JSON.parse(button.dataset.follows);
  const name = () => {
    button.textContent = ways.some((conditions) => conditions.every(holds)) ? button.dataset.next : button.dataset.send;
  };
  form.addEventListener('input', name);
  name();
}

function fieldsOf(name) {
  return [...form.elements].filter((field) => field.name === name || field.name.startsWith(`${name}.`));
}

/** Whoever writes under "other" chooses it. */
function tickWith(words) {
  const box = words.parentElement.querySelector('[value="other"]');
  words.addEventListener('input', () => {
    if (words.value.trim() !== '') box.checked = true;
  });
}

/** The values given to a question that is shown, as a form would send them and the server reads them. */
function valuesOf(name) {
  const fields = fieldsOf(name).filter((field) => !field.closest('[hidden]') && field.type !== 'hidden');
  const chosen = fields.find((field) => field.type === 'radio' && field.checked);
  const isLeft = (field) => field.name === `${name}.other` && chosen && chosen.value !== 'other';
  return fields
    .filter((field) => field.checked || !['radio', 'checkbox'].includes(field.type))
    .filter((field) => !isLeft(field))
    .map((field) => field.value.trim())
    .filter((value) => value !== '');
}

function holds({ question, test, values, number }) {
  const given = valuesOf(question);
  if (test === 'answered') return given.length > 0;
  if (test === 'oneOf') return given.some((value) => values.includes(value));
  const first = Number.parseFloat((given[0] ?? '').replace(/\s/g, '').replace(',', '.'));
  return test === 'atLeast' ? first >= number : first <= number;
}

function moveByButtons(list) {
  const said = document.createElement('p');
  said.className = 'out-of-sight';
  said.setAttribute('role', 'status');
  list.after(said);
  const place = (item) => Number(item.querySelector('select').value) || Number.POSITIVE_INFINITY;
  const items = [...list.children].sort((a, b) => place(a) - place(b) || 0);
  list.append(...items);
  for (const item of items) {
    const label = item.querySelector('label').textContent.trim();
    const move = (step) => {
      const others = [...list.children];
      const from = others.indexOf(item);
      const to = Math.min(Math.max(from + step, 0), others.length - 1);
      others.splice(to, 0, ...others.splice(from, 1));
      list.append(...others);
      others.forEach((other, index) => {
        other.querySelector('select').value = String(index + 1);
      });
      const words = { '%label': label, '%place': to + 1, '%count': others.length };
      said.textContent = form.dataset.said.replace(/%(label|place|count)/g, (word) => words[word]);
      form.dispatchEvent(new Event('input', { bubbles: true }));
    };
    const buttons = document.createElement('span');
    buttons.className = 'ranking-moves';
    for (const [step, sign, name] of [
      [-1, '↑', form.dataset.up],
      [1, '↓', form.dataset.down],
    ]) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'button button--small';
      button.textContent = sign;
      button.setAttribute('aria-label', `${name} (${label})`);
      button.addEventListener('click', () => {
        move(step);
        button.focus();
      });
      buttons.append(button);
    }
    item.append(buttons);
  }
}

/** Every 20 seconds, and when the reader turns away; nothing when nothing has changed. */
function keepDraft() {
  const status = document.createElement('p');
  status.className = 'meta survey-kept';
  form.append(status);
  let changed = false;
  let sending = false;
  let ended = false;
  const say = (text, isBad) => {
    status.textContent = text;
    if (isBad) status.setAttribute('role', 'alert');
    else status.removeAttribute('role');
  };
  const keep = async (keepalive = false) => {
    if (!changed || sending || ended) return;
    changed = false;
    sending = true;
    const fields = new URLSearchParams([...new FormData(form)]);
    fields.set('step', 'save');
    try {
      const answer = await fetch(form.action.split('?')[0], {
        method: 'POST',
        body: fields,
        keepalive,
        headers: { accept: 'application/json' },
      });
      if (answer.status === 204) {
        const time = new Date().toLocaleTimeString(document.documentElement.lang, { timeStyle: 'short' });
        say(form.dataset.kept.replace('%', time), false);
        if (!changed) form.dispatchEvent(new Event('kept'));
      } else if (answer.status === 403) {
        ended = true;
        say(form.dataset.signedOut, true);
      } else if (answer.status === 422) {
        ended = true;
        say((await answer.json()).message, true);
      } else throw new Error(String(answer.status));
    } catch {
      changed = true;
      say(form.dataset.failed, true);
    } finally {
      sending = false;
    }
  };
  form.addEventListener('input', () => {
    changed = true;
  });
  form.addEventListener('submit', () => {
    ended = true;
  });
  // Somebody who comes back to the page by "back" goes on.
  addEventListener('pageshow', (event) => {
    if (event.persisted) ended = false;
  });
  setInterval(keep, 20_000);
  addEventListener('blur', () => keep());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') keep(true);
  });
}
