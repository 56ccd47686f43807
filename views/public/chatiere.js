// Makes pages that already work without it a little kinder. Nothing here may be needed to read or to act.

/** Asks before a deed that says what it would do: form[data-confirm]. */
for (const form of document.querySelectorAll('form[data-confirm]')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sure || typeof HTMLDialogElement !== 'function') return;
    event.preventDefault();
    const button = event.submitter ?? form.querySelector('[type=submit]');
    ask(form.dataset.confirm, button.firstChild.textContent.trim(), form.dataset.cancel).then((sure) => {
      if (!sure) return button.focus();
      form.dataset.sure = 'yes';
      form.requestSubmit(button);
    });
  });
}

function ask(question, yes, no) {
  return new Promise((resolve) => {
    const dialog = document.createElement('dialog');
    const text = document.createElement('p');
    text.textContent = question;
    text.id = 'ask';
    dialog.setAttribute('aria-labelledby', 'ask');
    const row = document.createElement('div');
    row.className = 'actions';
    row.append(
      button(no, 'button', () => dialog.close('')),
      button(yes, 'button button--danger', () => dialog.close('yes')),
    );
    dialog.append(text, row);
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function button(label, className, onClick) {
  const element = document.createElement('button');
  element.type = 'button';
  element.className = className;
  element.textContent = label;
  element.addEventListener('click', onClick);
  return element;
}

/** Copies what stands beside the button. */
for (const element of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard) break;
  element.hidden = false;
  const label = element.textContent;
  element.addEventListener('click', async () => {
    await navigator.clipboard.writeText(element.dataset.copy);
    element.textContent = element.dataset.done;
    element.setAttribute('aria-live', 'polite');
    setTimeout(() => {
      element.textContent = label;
    }, 2000);
  });
}

/** Asks before leaving a long form with unsaved changes: form[data-guard]. */
for (const form of document.querySelectorAll('form[data-guard]')) {
  let changed = form.querySelector('.field--wrong') !== null;
  form.addEventListener('input', () => {
    changed = true;
  });
  // kept: what was typed is safe as a draft.
  for (const event of ['submit', 'kept']) {
    form.addEventListener(event, () => {
      changed = false;
    });
  }
  addEventListener('beforeunload', (event) => {
    if (changed) event.preventDefault();
  });
}

/** Renews the results under a filter form while it is being filled: form[data-autosubmit], #results. */
for (const form of document.querySelectorAll('form[data-autosubmit]')) {
  let waiting;
  let running;
  const said = document.createElement('p');
  said.className = 'out-of-sight';
  said.setAttribute('role', 'status');
  const renew = async () => {
    running?.abort();
    running = new AbortController();
    const given = [...new FormData(form)].filter(([, value]) => value !== '');
    const address = `${form.action.split('?')[0]}?${new URLSearchParams(given)}`;
    try {
      const answer = await fetch(address, { signal: running.signal, headers: { accept: 'text/html' } });
      if (!answer.ok) return form.submit();
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const fresh = page.getElementById('results');
      const here = document.getElementById('results');
      if (!fresh || !here) return form.submit();
      here.replaceWith(fresh);
      said.textContent = fresh.querySelector('[role=status]')?.textContent ?? '';
      history.replaceState(null, '', address);
    } catch (error) {
      if (error.name !== 'AbortError') form.submit();
    }
  };
  if (!document.getElementById('results')) continue;
  form.append(said);
  form.addEventListener('input', (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(renew, event.target.matches('input[type=search], input[type=text]') ? 350 : 0);
  });
}

/** The list of mistakes is read first, and names the fields. */
const mistakes = document.getElementById('errors');
if (mistakes) {
  for (const link of mistakes.querySelectorAll('a[href^="#"]')) {
    const field = document.getElementById(link.hash.slice(1));
    const pair = field?.closest('.pair')?.querySelector('legend');
    const labels = [pair, field?.labels?.[0] ?? field?.querySelector('legend')].filter(Boolean);
    if (labels.length === 0 || link.hasAttribute('data-named')) continue;
    link.prepend(`${labels.map((label) => label.firstChild.textContent.trim()).join(', ')} — `);
  }
  mistakes.focus();
}

/** "3 days ago" beside nothing: the full date stays as the title. */
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: 'auto' });
const units = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
for (const time of document.querySelectorAll('time[data-relative]')) {
  const seconds = (new Date(time.dateTime).getTime() - Date.now()) / 1000;
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ['minute', 60];
  time.title = time.textContent;
  time.textContent = relative.format(Math.round(seconds / size), unit);
}
