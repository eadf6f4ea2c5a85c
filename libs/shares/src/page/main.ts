import type { Section } from '../client/describe.js';
import { OwnerPage, type View } from './flow.js';
import { browserKeys } from './keys.js';
import { putFromPage } from './put.js';
import { statusOf } from './status.js';

/** The elements of `share.html`. Text only ever gets in as text. */
const element = <T extends HTMLElement>(id: string): T => {
  const found = document.querySelector<T>(`#${id}`);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
};

const made = (tag: string, text: string): HTMLElement => {
  const node = document.createElement(tag);
  node.textContent = text;
  return node;
};

const status = element('status');
const approve = element<HTMLButtonElement>('approve');
const file = element<HTMLInputElement>('file');
const table = element<HTMLSelectElement>('table');
const consent = element<HTMLInputElement>('consent');

const block = ({ title, lines }: Section): HTMLElement[] => {
  const text = made(title === 'Query' ? 'pre' : 'ul', '');
  if (title === 'Query') text.textContent = lines.join('\n');
  else text.append(...lines.map((line) => made('li', line)));
  return [made('h2', title), text];
};

function show(view: View): void {
  approve.disabled = view.step !== 'fits';
  const share = view.step === 'sharing' ? view.share : Number(view.step === 'done');
  element<HTMLProgressElement>('progress').value = share;
  if (view.step === 'read') showJob(view);
  if (view.step === 'fits') element('granted').replaceChildren(...block(view.granted));
  status.replaceChildren(...statusOf(view).map((line) => made('p', line)));
}

function showJob(view: Extract<View, { step: 'read' }>): void {
  element('job').replaceChildren(...view.sections.flatMap(block));
  element('owner').textContent = view.dataOwner;
  table.replaceChildren(...view.tables.map((name) => made('option', name)));
  element('tables').hidden = view.tables.length < 2;
  element('raw').hidden = !view.rawRows;
  element('answer').hidden = false;
}

const page = new OwnerPage({ keys: browserKeys, put: putFromPage, show });

async function choose(): Promise<void> {
  const [chosen] = file.files ?? [];
  if (chosen) await page.choose(await chosen.text(), table.value || undefined);
}

file.addEventListener('change', () => void choose());
table.addEventListener('change', () => void choose());
approve.addEventListener('click', () => void page.approve(consent.checked));
void page.open(location.href);
