// Surveys as their organisers see them, as plain data for templates: lists, the overview with what may be done, and the forms.
import { editPath } from '../collectives/present.js';
import type { Collective } from '../collectives/schema.js';
import type { Language, Site } from '../context.js';
import { dateFormat, languageName } from '../formatters.js';
import type { FieldError, FormState } from '../http/form.js';
import type { Translate } from '../i18n.js';
import { fold } from '../shapes.js';
import { localTime } from '../zonedTime.js';
import { conditionValues, listOf, rowsWithSpare, textsIn, textsOf } from './editForms.js';
import { presentForm } from './presentForm.js';
import { endOf, missingIn, type Opening, obstaclesTo, pickText } from './rules.js';
import {
  answererKinds,
  type Choice,
  type Invited,
  lateRules,
  limits,
  nameRules,
  type Question,
  type QuestionKind,
  questionKinds,
  type Section,
  type Survey,
  type SurveyVersion,
} from './schema.js';
import type { Told, ToldState } from './told.js';

export function surveyPath(survey: Pick<Survey, '_id' | 'collectiveId'>): string {
  return `${editPath({ _id: survey.collectiveId })}/surveys/${survey._id}`;
}

/** The two lists of a collective's surveys: those that ask it, and its own. Templates: {{> surveyParts}}. */
export function presentParts(collective: Pick<Collective, '_id'>, current: 'asked' | 'surveys') {
  const base = editPath(collective);
  return (['asked', 'surveys'] as const).map((name) => ({
    href: `${base}/${name}`,
    key: `surveys.part.${name}`,
    current: name === current,
  }));
}

const stateKinds: Record<Survey['state'], string> = {
  draft: 'none',
  scheduled: 'waiting',
  open: 'well',
  closed: 'none',
};

export interface Counted {
  survey: Survey;
  answered: number;
  /** Null: nobody knows how many; anyone may answer. */
  asked: number | null;
}

export function presentOwn({ survey, answered, asked }: Counted, language: Language) {
  const { state } = survey;
  return {
    href: surveyPath(survey),
    title: pickText(survey.title, language, survey.languages),
    state: { kind: stateKinds[state], label: `surveys.state.${state}` },
    ...saidCount(answered, asked),
    hasCount: state === 'open' || state === 'closed',
    when: whenOf(survey, language),
    restoreAction: `${surveyPath(survey)}/restore`,
  };
}

/** One that can be asked again. */
export function presentEarlier(survey: Survey, language: Language) {
  return {
    title: pickText(survey.title, language, survey.languages),
    when: whenOf(survey, language),
    action: `${surveyPath(survey)}/duplicate`,
  };
}

function saidCount(answered: number, asked: number | null) {
  const share = asked === null || asked === 0 ? null : Math.round((answered / asked) * 100);
  return { answered, asked, share };
}

/** The one date that matters now, in the survey's own time zone. */
function whenOf(survey: Survey, language: Language) {
  const { state, opensAt } = survey;
  if (state === 'scheduled') return { key: 'surveys.when.opens', at: inZone(opensAt, survey, language) };
  if (state === 'draft') return null;
  const end = endOf(survey);
  return (
    end && { key: state === 'open' ? 'surveys.when.closes' : 'surveys.when.closed', at: inZone(end, survey, language) }
  );
}

/** "10 décembre 2026 à 19:00 (Europe/Paris)". */
function inZone(at: Date | null, { timeZone }: Pick<Survey, 'timeZone'>, language: Language): string {
  if (at === null) return '';
  const style = { dateStyle: 'long', timeStyle: 'short', timeZone } as const;
  return `${dateFormat(language === 'en' ? 'en-GB' : language, style).format(at)} (${timeZone})`;
}

export type SurveyTab = 'overview' | 'questions' | 'settings' | 'preview' | 'results';

/** What every page of one survey shows around its own. Templates: {{> surveyFrame}} with this as `survey`. */
export function presentSurveyFrame(survey: Survey, current: SurveyTab, language: Language) {
  const base = surveyPath(survey);
  const isDeleted = survey.deletedAt !== null;
  const tabs: SurveyTab[] = [
    'overview',
    'questions',
    ...(survey.state === 'closed' ? [] : ['settings' as const]),
    'preview',
  ];
  if (survey.state === 'open' || survey.state === 'closed') tabs.push('results');
  return {
    base,
    listHref: `${editPath({ _id: survey.collectiveId })}/surveys`,
    title: pickText(survey.title, language, survey.languages),
    state: { kind: stateKinds[survey.state], label: `surveys.state.${survey.state}` },
    isDeleted,
    restoreAction: `${base}/restore`,
    mayEdit: !isDeleted && survey.state !== 'closed',
    revision: survey.revision,
    tabs: isDeleted
      ? []
      : tabs.map((name) => ({
          href: name === 'overview' ? base : `${base}/${name}`,
          key: `surveys.tab.${name}`,
          current: name === current,
        })),
  };
}

export interface OverviewInput extends Counted {
  versions: readonly SurveyVersion[];
  now: Date;
  site: Site;
  language: Language;
  previous: Survey | null;
  isOwnerPublic: boolean;
  told: readonly Told[];
}

export function presentOverview(input: OverviewInput) {
  const { survey, answered, asked, versions, now, site, language, previous, isOwnerPublic, told } = input;
  const { state, opensAt, closesAt, openedAt, closedAt, results } = survey;
  const base = surveyPath(survey);
  const sections = versions.find(({ number }) => number === survey.version)?.sections ?? [];
  const isBefore = state === 'draft' || state === 'scheduled';
  const zoned = (at: Date | null) => (at === null ? null : inZone(at, survey, language));
  const missing = isBefore ? missingToOpen({ survey, sections, isOwnerPublic, now }, base) : [];
  return {
    ...saidCount(answered, asked),
    hasCount: !isBefore,
    isDraft: state === 'draft',
    isScheduled: state === 'scheduled',
    isOpen: state === 'open',
    isClosed: state === 'closed',
    isBefore,
    missing,
    notOpened: state === 'draft' ? (survey.notOpened ?? null) : null,
    told: presentTold(told),
    lacking: isBefore ? lackingIn(survey, sections, language) : '',
    opensLater: opensAt !== null && opensAt > now ? zoned(opensAt) : null,
    dates: [
      {
        key: 'surveys.field.opensAt',
        at: isBefore ? zoned(opensAt) : null,
        none: isBefore ? 'surveys.none.byHand' : null,
      },
      { key: 'surveys.overview.openedAt', at: zoned(openedAt), none: null },
      {
        key: 'surveys.field.closesAt',
        at: closedAt === null ? zoned(closesAt) : null,
        none: closedAt === null ? 'surveys.none.noEnd' : null,
      },
      { key: 'surveys.overview.closedAt', at: zoned(closedAt), none: null },
      { key: 'surveys.overview.publishedAt', at: zoned(results.publishedAt), none: null },
    ].filter(({ at, none }) => at !== null || none !== null),
    answerBy: `surveys.answerBy.${survey.answerBy}`,
    names: `surveys.names.${survey.names}`,
    namesHint: `surveys.names.${survey.names}.hint`,
    // Anybody may answer there; of others the page only says what is asked.
    link: survey.answerBy === 'anyone' && !isBefore ? `${site.baseUrl}/surveys/${survey._id}` : null,
    linkText: `surveys.overview.link.${survey.listed ? 'listed' : 'text'}`,
    settingsHref: `${base}/settings#f-listed`,
    previous: previous && { href: surveyPath(previous), title: pickText(previous.title, language, previous.languages) },
    // Whom it will ask, before it is too late to change.
    invited: isBefore && survey.answerBy !== 'anyone' ? survey.invited.length : null,
    isUnpublished: state === 'closed' && results.publishedAt === null,
    endLabel: isBefore ? 'surveys.field.closesAt' : 'surveys.field.newEnd',
    resultsHref: isBefore ? null : `${base}/results`,
    mayReopen: state === 'closed' && survey.names === 'named',
    endValue: closesAt === null ? '' : localTime(closesAt, survey.timeZone),
    timeZone: survey.timeZone,
    versions:
      versions.length < 2 ? [] : versions.toReversed().map((version) => presentVersion(version, survey, language)),
  };
}

/** Languages in which any text of it is missing: it may open all the same. */
function lackingIn({ title, intro, languages }: Survey, sections: readonly Section[], language: Language): string {
  const parts = sections.flatMap((section) => [...textsIn(section), ...section.questions.flatMap(textsIn)]);
  const missing = new Set([title, intro, ...parts].flatMap((texts) => missingIn(texts, languages)));
  return [...missing].map((lang) => languageName(language, lang)).join(', ');
}

/** What stands between a draft and its opening, and where it is done. */
function missingToOpen(opening: Opening, base: string) {
  const place = (field: string) => (field === 'sections' ? 'questions' : `settings#f-${field}`);
  return obstaclesTo(opening).map(({ key, field }) => ({ key, href: `${base}/${place(field)}` }));
}

/** Hosters elsewhere by what became of the last message about the survey: those to whom something is to be done first. */
function presentTold(told: readonly Told[]) {
  if (told.length === 0) return null;
  const of = (...states: ToldState[]) =>
    told
      .filter(({ state }) => states.includes(state))
      .map(({ invited, state, since }) => ({
        name: invited.name,
        handle: `@${invited.handle}`,
        state: { kind: toldKinds[state], label: `surveys.told.${state}` },
        since,
      }));
  const [failed, waiting, done] = [of('unknown', 'refused', 'failed'), of('held', 'waiting'), of('told')];
  return { failed, waiting, done, count: told.length };
}

const toldKinds: Record<ToldState, string> = {
  told: 'well',
  waiting: 'waiting',
  held: 'waiting',
  failed: 'broken',
  refused: 'broken',
  unknown: 'broken',
};

function presentVersion({ number, at, sections }: SurveyVersion, survey: Survey, language: Language) {
  return {
    number,
    at: inZone(at, survey, language),
    questions: sections.reduce((sum, { questions }) => sum + questions.length, 0),
    isCurrent: number === survey.version,
    href: `${surveyPath(survey)}/preview?version=${number}`,
  };
}

/** The fields of one text, one for each language: views/partials/surveyTexts.hbs. */
export function textFields(name: string, given: unknown, languages: readonly string[], language: Language) {
  const texts = textsOf(given);
  return languages.map((lang) => ({
    name: `${name}.${lang}`,
    lang,
    language: nameOf(lang, language),
    value: texts[lang] ?? '',
    // A text that another language has and this one lacks.
    isMissing: !texts[lang] && Object.keys(texts).length > 0,
  }));
}

function nameOf(lang: string, language: Language): string {
  const name = languageName(language, lang);
  return name.slice(0, 1).toLocaleUpperCase(language) + name.slice(1);
}

const options = (values: readonly string[], key: string) =>
  values.map((value) => ({ value, key: `${key}.${value}`, hint: `${key}.${value}.hint` }));

/** The settings as their form holds them. */
export function settingsValues(survey: Survey): Record<string, unknown> {
  const { opensAt, closesAt, timeZone, reminders } = survey;
  const on = (is: boolean) => (is ? 'on' : '');
  return {
    ...survey,
    languages: survey.languages,
    firstLanguage: survey.languages[0],
    invited: survey.invited.map(({ iri }) => iri),
    listed: on(survey.listed ?? false),
    opensAt: opensAt && localTime(opensAt, timeZone),
    closesAt: closesAt && localTime(closesAt, timeZone),
    reminders: { halfTime: on(reminders.halfTime), twoDays: on(reminders.twoDays), lastDay: on(reminders.lastDay) },
  };
}

export function presentSettings(survey: Survey, form: FormState, invitable: readonly Invited[], language: Language) {
  const { values, errors } = form;
  const typed = `${values.languages ?? ''},${values.otherLanguages ?? ''}`.match(/[a-z]{2,3}(-[a-z0-9]{2,8})*/gi);
  const ticked = [...new Set((typed ?? survey.languages).map((tag) => tag.toLowerCase()))].slice(0, limits.languages);
  const first = ticked.find((tag) => tag === values.firstLanguage);
  const languages = first === undefined ? ticked : [first, ...ticked.filter((tag) => tag !== first)];
  const isFixed = survey.state === 'open';
  const chosen = [...listOf(values.invited), ...listOf(values.elsewhere)];
  const words = fold(String(values.filter ?? ''))
    .split(/\s+/)
    .filter(Boolean);
  const found = invitable.filter(({ iri, name, handle }) => {
    return chosen.includes(iri) || words.every((word) => fold(`${name} ${handle}`).includes(word));
  });
  const isHere = (one: Invited) => one.collectiveId !== null;
  // Whoever is chosen stands there in any case: what is not sent is not asked.
  const shown = (here: boolean) =>
    offered(
      found.filter((one) => isHere(one) === here),
      chosen,
    ).map(({ iri, name, handle }) => ({ value: iri, label: here ? name : `${name} (@${handle})` }));
  const [here, elsewhere] = [shown(true), shown(false)];
  return {
    title: textFields('title', values.title, languages, language),
    intro: textFields('intro', values.intro, languages, language),
    values,
    errors,
    labels: settingsLabels(errors),
    isFixed,
    invitedNames: survey.invited.map(({ name, handle, collectiveId }) =>
      collectiveId === null ? `${name} (@${handle})` : name,
    ),
    chosen,
    here,
    elsewhere,
    hasFilter: invitable.length > unfiltered,
    unshown: invitable.length - here.length - elsewhere.length,
    languageOptions: languageOptions(languages, language),
    chosenLanguages: languages,
    firstOptions: languages.map((tag) => ({ value: tag, label: nameOf(tag, language) })),
    answerByOptions: options(answererKinds, 'surveys.answerBy'),
    namesOptions: options(nameRules, 'surveys.names'),
    lateOptions: options(lateRules, 'surveys.late'),
    timeZones: [...Intl.supportedValuesOf('timeZone'), 'UTC'].map((value) => ({ value, label: value })),
    reminders: typeof values.reminders === 'object' && values.reminders !== null ? values.reminders : {},
  };
}

/** What may be the edition before: the collective's other surveys, for {{> select}}. */
export function presentEditions(survey: Survey, all: readonly Survey[], { language, t }: Words) {
  const others = all.filter(
    ({ _id, state }) => _id !== survey._id && (state === 'closed' || _id === survey.previousId),
  );
  if (others.length === 0) return [];
  const named = others.map(({ _id, title, languages, closedAt }) => {
    const { text } = pickText(title, language, languages);
    return { value: _id, label: closedAt === null ? text : `${text} (${closedAt.getUTCFullYear()})` };
  });
  return [{ value: '', label: t('surveys.none.edition') }, ...named];
}

/** So many are shown without a filter. */
const unfiltered = 40;

function offered(found: readonly Invited[], chosen: readonly string[]): Invited[] {
  const isChosen = ({ iri }: Invited) => chosen.includes(iri);
  const others = found.filter((one) => !isChosen(one));
  return [...found.filter(isChosen), ...others.slice(0, unfiltered)];
}

/** Those that are often needed here; others are added by their code. */
const oftenNeeded = [
  'ar',
  'br',
  'ca',
  'co',
  'de',
  'en',
  'es',
  'eu',
  'fr',
  'gsw',
  'it',
  'nl',
  'oc',
  'pl',
  'pt',
  'ro',
  'uk',
];

function languageOptions(chosen: readonly string[], language: Language) {
  const others = oftenNeeded.filter((tag) => !chosen.includes(tag));
  const named = (tags: readonly string[]) => tags.map((value) => ({ value, label: nameOf(value, language) }));
  return [...named(chosen), ...named(others).sort((a, b) => a.label.localeCompare(b.label, language))];
}

function settingsLabels(errors: readonly FieldError[]): Record<string, string> {
  return Object.fromEntries(
    errors
      .filter(({ field }) => field !== '')
      .map(({ field }) => [
        field,
        // What stands against it may be about its questions, which are on another page.
        field === 'previousId'
          ? 'surveys.overview.previous'
          : field === 'sections'
            ? 'surveys.tab.questions'
            : `surveys.field.${field.split('.')[0]}`,
      ]),
  );
}

interface Words {
  language: Language;
  t: Translate;
}

/** All questions in their order, each with what may be done to it. */
export function presentQuestions(survey: Survey, version: SurveyVersion, { language, t }: Words) {
  const { languages, timeZone } = survey;
  const { sections } = version;
  const shown = presentForm({ sections, languages, timeZone, language, t, given: {}, errors: [], services: [] });
  const base = `${surveyPath(survey)}/questions`;
  const missing = (part: Parameters<typeof textsIn>[0]) => missingNames(part, languages, language);
  return {
    action: base,
    newAction: `${base}/new`,
    newSectionHref: `${surveyPath(survey)}/sections/new`,
    kinds: questionKinds.map((value) => ({ value, key: `surveys.kind.${value}` })),
    canUndo: Boolean(version.before),
    count: sections.reduce((sum, { questions }) => sum + questions.length, 0),
    sections: sections.map((section, index) => ({
      id: section.id,
      number: index + 1,
      isOnly: sections.length === 1,
      title: shown[index]?.title,
      condition: shown[index]?.condition?.message,
      missing: missing(section),
      editHref: `${surveyPath(survey)}/sections/${section.id}`,
      isFirst: index === 0,
      isLast: index === sections.length - 1,
      questions: section.questions.map((question, position) => ({
        id: question.id,
        number: position + 1,
        isOnly: section.questions.length === 1,
        label: shown[index]?.questions[position]?.label,
        kind: `surveys.kind.${question.kind}`,
        required: question.required,
        criterion: question.criterion,
        condition: shown[index]?.questions[position]?.condition?.message,
        missing: missing(question),
        editHref: `${base}/${question.id}`,
        isFirst: index === 0 && position === 0,
        isLast: index === sections.length - 1 && position === section.questions.length - 1,
      })),
    })),
  };
}

/** "anglais, breton": languages in which some of its texts are missing. */
function missingNames(part: Parameters<typeof textsIn>[0], languages: readonly string[], language: Language): string {
  const missing = new Set(textsIn(part).flatMap((texts) => missingIn(texts, languages)));
  return [...missing].map((lang) => languageName(language, lang)).join(', ');
}

export interface PartInput extends Words {
  survey: Survey;
  sections: readonly Section[];
  /** What a condition may be about. */
  before: readonly Question[];
  values: Readonly<Record<string, unknown>>;
  errors: readonly FieldError[];
}

/** The form of one question. */
export function presentQuestionForm(kind: QuestionKind, input: PartInput) {
  const { survey, values, errors, language, sections } = input;
  const texts = (name: string) => textFields(name, values[name], survey.languages, language);
  return {
    ...presentPart(input),
    kind,
    kindKey: `surveys.kind.${kind}`,
    [`is_${kind}`]: true,
    hasChoices: ['single', 'multiple', 'ranking', 'grid'].includes(kind),
    choicesLegend:
      kind === 'grid'
        ? 'surveys.field.columns'
        : kind === 'ranking'
          ? 'surveys.field.proposals'
          : 'surveys.field.choices',
    mayBeOther: kind === 'single' || kind === 'multiple',
    hasBounds: kind === 'number',
    label: texts('label'),
    help: texts('help'),
    unit: texts('unit'),
    fromLabel: texts('fromLabel'),
    toLabel: texts('toLabel'),
    choices: choiceRows('choices', input),
    rows: choiceRows('rows', input),
    slots: rowsWithSpare(values.slots, limits.slots, 2).map(({ at, row }) => ({
      name: `slots.${at}`,
      id: row.id,
      day: row.date,
      start: row.start,
      end: row.end,
    })),
    timeZone: survey.timeZone,
    sectionOptions: sections.map(({ id, title }, index) => ({
      value: id,
      label:
        pickText(title, language, survey.languages).text || input.t('surveys.questions.section', { number: index + 1 }),
    })),
    hasSections: sections.length > 1,
    fromOptions: [0, 1].map((value) => ({ value, label: String(value) })),
    toOptions: [2, 3, 4, 5, 6, 7, 8, 9, 10].map((value) => ({ value, label: String(value) })),
    labels: partLabels(errors),
  };
}

function choiceRows(list: 'choices' | 'rows', { values, survey, language }: PartInput) {
  return rowsWithSpare(values[list], limits.choices, 3).map(({ at, row }) => ({
    name: `${list}.${at}`,
    number: at + 1,
    id: row.id,
    place: row.place ?? at + 1,
    texts: textFields(`${list}.${at}.label`, row.label, survey.languages, language),
  }));
}

/** The form of what a section says of itself. */
export function presentSectionForm(input: PartInput) {
  const { survey, values, errors, language } = input;
  const texts = (name: string) => textFields(name, values[name], survey.languages, language);
  return { ...presentPart(input), title: texts('title'), intro: texts('intro'), labels: partLabels(errors) };
}

/** What questions and sections have in common: what was typed, and the condition. */
function presentPart({ survey, before, values, errors, language, t }: PartInput) {
  const given = values.showIf;
  const fields: Record<string, unknown> =
    typeof given === 'object' && given !== null ? { ...given } : { ...conditionValues(null) };
  const of = String(fields.on ?? '').split('|')[0];
  const text = (label: Question['label']) => pickText(label, language, survey.languages).text;
  const about = before.find(({ id }) => id === of);
  const choices: readonly Choice[] =
    about && (about.kind === 'single' || about.kind === 'multiple') ? about.choices : [];
  return {
    values,
    errors,
    condition: {
      on: fields.on ?? '',
      number: fields.number ?? '',
      groups: before.map((question) => ({
        label: text(question.label),
        options: testsOf(question).map((test) => ({
          value: `${question.id}|${test}`,
          label: t(`surveys.condition.${test}`),
          selected: fields.on === `${question.id}|${test}`,
        })),
      })),
      isPossible: before.length > 0,
      choices: choices.map(({ id, label }) => ({ value: `${of}|${id}`, label: text(label) })),
      chosen: listOf(fields.values),
    },
  };
}

function testsOf(question: Question): string[] {
  if (question.kind === 'single' || question.kind === 'multiple') return ['oneOf', 'answered'];
  if (question.kind === 'scale' || question.kind === 'number') return ['atLeast', 'atMost', 'answered'];
  return ['answered'];
}

function partLabels(errors: readonly FieldError[]): Record<string, string> {
  return Object.fromEntries(
    errors
      .filter(({ field }) => field !== '')
      .map(({ field }) => [field, `surveys.field.${field.split('.')[0]?.replace(/Lines$/, '')}`]),
  );
}
