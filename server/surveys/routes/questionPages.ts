// Where organisers write the questions, one form for each, and look at them as those who answer will. Works without a script.
import { listServicesOf } from '../../catalogue/queries.js';
import { DomainError, InvalidFields } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import type { Routes, Visit } from '../../http/routes.js';
import { textIn } from '../../shapes.js';
import { editSections, undoEdit } from '../actions/drafting.js';
import {
  type Direction,
  duplicateQuestion,
  duplicateSection,
  findQuestion,
  moveQuestion,
  moveSection,
  newPartId,
  placeQuestion,
  placeSection,
  putQuestion,
  putSection,
  questionsBefore,
  removeQuestion,
  removeSection,
} from '../arrange.js';
import {
  conditionValues,
  editDeed,
  nearForm,
  newQuestionForm,
  newQuestionQuery,
  newQuestionValues,
  partForm,
  previewQuery,
  questionParams,
  questionValues,
  readQuestion,
  readSection,
  sectionParams,
  surveyParams,
  withLines,
} from '../editForms.js';
import { presentPromise } from '../presentAsked.js';
import { presentForm } from '../presentForm.js';
import { presentQuestionForm, presentQuestions, presentSectionForm, surveyPath } from '../presentOrganise.js';
import { countAnswers, getVersion, isWordingOnly } from '../queries.js';
import { isSameQuestions, pickText } from '../rules.js';
import { type Question, type QuestionKind, questionKinds, type Section, type Survey } from '../schema.js';
import { enterSurvey, enterToChange, type Organised, type SurveyVisit, showSurvey } from './organisePages.js';

const noForm: FormState = { values: {}, errors: [] };
type QuestionVisit = Visit<{ id: string; survey: string; question: string }, unknown, unknown>;
type SectionVisit = Visit<{ id: string; survey: string; section: string }, unknown, unknown>;

export function questionPages(routes: Routes): void {
  const one = '/my/collectives/:id/surveys/:survey';
  const params = { access: 'signedIn', params: surveyParams } as const;

  routes.get(`${one}/questions`, params, (visit) => showQuestions(visit, noForm));
  routes.post(`${one}/questions`, { ...params, body: editDeed, retry: showQuestions }, async (visit) => {
    const { survey } = await enterToChange(visit);
    const { revision, deed, place: wanted } = visit.body;
    const place = `${surveyPath(survey)}/questions`;
    const [verb = '', what = '', id = ''] = deed.split(' ');
    if (verb === 'undo') await undoEdit(visit.ctx, survey._id, revision);
    else
      await editSections(visit.ctx, survey._id, revision, (sections) => arrange(sections, { verb, what, id, wanted }));
    // What moved is found again where it is now.
    if (verb === 'up' || verb === 'down' || verb === 'place') return visit.redirect(`${place}#${what}-${id}`);
    visit.redirect(place, { key: verb === 'undo' ? 'surveys.edit.undone' : `surveys.edit.${what}.${verb}` });
  });

  newQuestion(routes, `${one}/questions/new`);
  oldQuestion(routes, `${one}/questions/:question`);
  sectionPages(routes, `${one}/sections`);

  routes.get(`${one}/preview`, { ...params, query: previewQuery }, async (visit) => {
    const entered = await enterSurvey(visit);
    const { survey } = entered;
    const { sections, number } = await getVersion(visit.ctx.store, survey._id, visit.query.version ?? survey.version);
    await showSurvey(visit, entered, 'preview', 'surveys/preview', {
      ...(await presentPreview(visit, entered, sections)),
      oldVersion: number === survey.version ? null : number,
    });
  });
}

interface Deed {
  verb: string;
  what: string;
  id: string;
  /** Place, from 1. */
  wanted: number | undefined;
}

function arrange(sections: Section[], { verb, what, id, wanted }: Deed): Section[] {
  const isQuestion = what === 'question';
  if (verb === 'place') {
    if (wanted === undefined) throw new DomainError('invalid', 'surveys.error.place', { field: 'place' });
    return isQuestion ? placeQuestion(sections, id, wanted) : placeSection(sections, id, wanted);
  }
  if (verb === 'duplicate') return isQuestion ? duplicateQuestion(sections, id) : duplicateSection(sections, id);
  if (verb === 'remove') return isQuestion ? removeQuestion(sections, id) : removeSection(sections, id);
  const direction: Direction = verb === 'up' ? 'up' : 'down';
  return isQuestion ? moveQuestion(sections, id, direction) : moveSection(sections, id, direction);
}

async function showQuestions(visit: SurveyVisit, form: FormState): Promise<void> {
  const entered = await enterSurvey(visit);
  const { survey } = entered;
  if (survey.deletedAt !== null) return visit.redirect(surveyPath(survey));
  const version = await getVersion(visit.ctx.store, survey._id, survey.version);
  // A move that a condition forbids is about no field of this page.
  const errors = form.errors.map(({ message }) => ({ field: '', message }));
  const shown = presentQuestions(survey, version, visit);
  const isSettled = await isWordingOnly(visit.ctx.store, survey);
  const isUndoSafe = !isSettled || isSameQuestions(version.before ?? [], version.sections);
  await showSurvey(visit, entered, 'questions', 'surveys/questions', {
    ...shown,
    canUndo: shown.canUndo && isUndoSafe,
    isSettled,
    openRule: survey.names === 'anonymous' ? 'surveys.questions.openSecret' : 'surveys.questions.open',
    // What was answered to what goes is kept, and shown apart.
    warning: (await countAnswers(visit.ctx.store, survey)) > 0 ? 'surveys.questions.removeAnswered' : null,
    errors,
  });
}

function newQuestion(routes: Routes, path: string): void {
  const params = { access: 'signedIn', params: surveyParams } as const;
  routes.get(path, { ...params, query: newQuestionQuery }, async (visit) => {
    const { kind, section } = visit.query;
    await showQuestion(visit, { kind, id: null, form: noForm, section });
  });
  const showAgain = (visit: SurveyVisit, form: FormState) => {
    const kind = questionKinds.find((one) => one === form.values.kind) ?? 'shortText';
    return showQuestion(visit, { kind, id: null, form, section: String(form.values.section ?? '') });
  };
  routes.post(path, { ...params, body: newQuestionForm, retry: showAgain }, async (visit) => {
    const { step, kind, ...raw } = visit.body;
    if (step === 'more') return showAgain(visit, { values: visit.body, errors: [] });
    await saveQuestion(visit, kind, newPartId('q'), raw);
  });
}

function oldQuestion(routes: Routes, path: string): void {
  const params = { access: 'signedIn', params: questionParams } as const;
  const show = async (visit: QuestionVisit, form: FormState) => {
    const found = await findIn(visit);
    await showQuestion(visit, { kind: found.question.kind, id: found.question.id, form, section: found.section.id });
  };
  routes.get(path, params, (visit) => show(visit, noForm));
  routes.post(path, { ...params, body: partForm, retry: show }, async (visit) => {
    const { step, ...raw } = visit.body;
    if (step === 'more') return show(visit, { values: visit.body, errors: [] });
    const { question } = await findIn(visit);
    await saveQuestion(visit, question.kind, question.id, raw);
  });
}

async function findIn(visit: QuestionVisit): Promise<{ question: Question; section: Section }> {
  const { survey } = await enterSurvey(visit);
  const { sections } = await getVersion(visit.ctx.store, survey._id, survey.version);
  const found = findQuestion(sections, visit.params.question);
  if (found === null) throw new DomainError('not-found', 'error.notFound');
  return found;
}

async function saveQuestion(
  visit: SurveyVisit,
  kind: QuestionKind,
  id: string,
  raw: Record<string, unknown> & { revision: number },
): Promise<void> {
  const { survey } = await enterToChange(visit);
  const { languages, timeZone } = survey;
  const isSettled = await isWordingOnly(visit.ctx.store, survey);
  await near(visit, survey, id, raw.revision, (sections) => {
    const stands = findQuestion(sections, id);
    if (isSettled && stands) {
      const kept = { ...questionValues(stands.question, stands.section.id, timeZone), ...wordingIn(raw) };
      const read = readQuestion(kind, kept, {
        id,
        languages,
        timeZone,
        before: beforeIn(sections, stands.section.id, id),
      });
      if (read.value === null) throw new InvalidFields(read.errors);
      return putQuestion(sections, stands.section.id, read.value);
    }
    const section = sections.some((one) => one.id === raw.section) ? String(raw.section) : (stands?.section.id ?? '');
    const before = beforeIn(sections, section, stands?.section.id === section ? id : null);
    const { value, errors } = readQuestion(kind, withLines(raw, languages), { id, languages, timeZone, before });
    if (value === null) throw new InvalidFields(errors);
    return putQuestion(sections, section, value);
  });
  visit.redirect(`${surveyPath(survey)}/questions#question-${id}`, { key: 'surveys.edit.question.saved' });
}

/** What a form says of words alone: its other fields are not shown while only these may change. */
function wordingIn(raw: Record<string, unknown>): Record<string, unknown> {
  const names = ['label', 'help', 'title', 'intro', 'unit', 'fromLabel', 'toLabel', 'criterion', 'choices', 'rows'];
  return Object.fromEntries(names.flatMap((name) => (raw[name] === undefined ? [] : [[name, raw[name]]])));
}

function beforeIn(sections: readonly Section[], section: string, question: string | null): Question[] {
  return questionsBefore(sections, { section, question });
}

/** The edit; what the whole questionnaire refuses is said in the form of the part. */
async function near(
  visit: SurveyVisit,
  survey: Survey,
  id: string,
  revision: number,
  edit: (sections: Section[]) => Section[],
): Promise<void> {
  let edited: Section[] = [];
  try {
    await editSections(visit.ctx, survey._id, revision, (sections) => {
      edited = edit(sections);
      return edited;
    });
  } catch (error) {
    if (!(error instanceof DomainError) || error instanceof InvalidFields || !error.field?.startsWith('sections.'))
      throw error;
    throw new InvalidFields([nearForm(error.field, error.safeMessage, placeOf(edited, id))]);
  }
}

/** Where a part stands, as checkSections names it. */
function placeOf(sections: readonly Section[], id: string): string {
  for (const [index, section] of sections.entries()) {
    if (section.id === id) return `sections.${index}`;
    const position = section.questions.findIndex((question) => question.id === id);
    if (position >= 0) return `sections.${index}.questions.${position}`;
  }
  return 'sections';
}

interface Shown {
  kind: QuestionKind;
  /** Null: a new one. */
  id: string | null;
  section: string;
  form: FormState;
}

async function showQuestion(visit: SurveyVisit, { kind, id, section, form }: Shown): Promise<void> {
  const entered = await enterSurvey(visit);
  const { survey } = entered;
  const isSettled = await isWordingOnly(visit.ctx.store, survey);
  if (!mayEdit(survey) || (isSettled && id === null)) return visit.redirect(`${surveyPath(survey)}/questions`);
  const { sections } = await getVersion(visit.ctx.store, survey._id, survey.version);
  const here = sections.some((one) => one.id === section) ? section : (sections.at(-1)?.id ?? '');
  const stands = id === null ? null : findQuestion(sections, id);
  const typed = Object.keys(form.values).length > 0;
  const stored = stands ? questionValues(stands.question, here, survey.timeZone) : newQuestionValues(kind, here);
  const input = {
    survey,
    sections,
    before: beforeIn(sections, here, stands ? id : null),
    values: typed ? withLines(form.values, survey.languages) : stored,
    errors: form.errors,
    language: visit.language,
    t: visit.t,
  };
  await showSurvey(visit, entered, 'questions', 'surveys/question', {
    ...presentQuestionForm(kind, input),
    isSettled,
    action: `${surveyPath(survey)}/questions/${id ?? 'new'}`,
    isNew: id === null,
    cancelHref: `${surveyPath(survey)}/questions${id === null ? '' : `#question-${id}`}`,
  });
}

function mayEdit(survey: Survey): boolean {
  return survey.deletedAt === null && survey.state !== 'closed';
}

function sectionPages(routes: Routes, path: string): void {
  const params = { access: 'signedIn', params: surveyParams } as const;
  const showNew = (visit: SurveyVisit, form: FormState) => showSection(visit, null, form);
  routes.get(`${path}/new`, params, (visit) => showNew(visit, noForm));
  routes.post(`${path}/new`, { ...params, body: partForm, retry: showNew }, async (visit) => {
    const { step, ...raw } = visit.body;
    if (step === 'more') return showNew(visit, { values: visit.body, errors: [] });
    await saveSection(visit, newPartId('s'), raw);
  });

  const old = { access: 'signedIn', params: sectionParams } as const;
  const show = (visit: SectionVisit, form: FormState) => showSection(visit, visit.params.section, form);
  routes.get(`${path}/:section`, old, (visit) => show(visit, noForm));
  routes.post(`${path}/:section`, { ...old, body: partForm, retry: show }, async (visit) => {
    const { step, ...raw } = visit.body;
    if (step === 'more') return show(visit, { values: visit.body, errors: [] });
    const { survey } = await enterToChange(visit);
    const { sections } = await getVersion(visit.ctx.store, survey._id, survey.version);
    if (!sections.some(({ id }) => id === visit.params.section)) throw new DomainError('not-found', 'error.notFound');
    await saveSection(visit, visit.params.section, raw);
  });
}

async function saveSection(
  visit: SurveyVisit,
  id: string,
  raw: Record<string, unknown> & { revision: number },
): Promise<void> {
  const { survey } = await enterToChange(visit);
  const isSettled = await isWordingOnly(visit.ctx.store, survey);
  await near(visit, survey, id, raw.revision, (sections) => {
    const stands = sections.find((one) => one.id === id);
    const kept = isSettled && stands ? { ...wordingIn(raw), showIf: conditionValues(stands.showIf) } : raw;
    const { value, errors } = readSection(kept, {
      id,
      languages: survey.languages,
      before: beforeSection(sections, id),
    });
    if (value === null) throw new InvalidFields(errors);
    return putSection(sections, value);
  });
  visit.redirect(`${surveyPath(survey)}/questions#section-${id}`, { key: 'surveys.edit.section.saved' });
}

/** Questions of the sections before; of a new one: of all. */
function beforeSection(sections: readonly Section[], id: string | null): Question[] {
  const at = sections.findIndex((section) => section.id === id);
  return sections.slice(0, at < 0 ? sections.length : at).flatMap(({ questions }) => questions);
}

async function showSection(visit: SurveyVisit, id: string | null, form: FormState): Promise<void> {
  const entered = await enterSurvey(visit);
  const { survey } = entered;
  const isSettled = await isWordingOnly(visit.ctx.store, survey);
  if (!mayEdit(survey) || (isSettled && id === null)) return visit.redirect(`${surveyPath(survey)}/questions`);
  const { sections } = await getVersion(visit.ctx.store, survey._id, survey.version);
  const section = sections.find((one) => one.id === id);
  if (id !== null && !section) throw new DomainError('not-found', 'error.notFound');
  const stored = section ? { ...section, showIf: conditionValues(section.showIf) } : {};
  const input = {
    survey,
    sections,
    before: beforeSection(sections, id),
    values: Object.keys(form.values).length > 0 ? form.values : stored,
    errors: form.errors,
    language: visit.language,
    t: visit.t,
  };
  await showSurvey(visit, entered, 'questions', 'surveys/section', {
    ...presentSectionForm(input),
    isSettled,
    action: `${surveyPath(survey)}/sections/${id ?? 'new'}`,
    isNew: id === null,
    cancelHref: `${surveyPath(survey)}/questions${id === null ? '' : `#section-${id}`}`,
  });
}

/** The form as those see it who are asked; the collective's own services stand for theirs. */
async function presentPreview(visit: SurveyVisit, { survey, collective }: Organised, sections: readonly Section[]) {
  const { languages, timeZone, names, answerBy } = survey;
  const { language, t } = visit;
  const services = (await listServicesOf(visit.ctx.store, collective._id)).map(({ _id, profile }) => ({
    id: _id,
    label: textIn(profile.name, language),
  }));
  return {
    sections: presentForm({ sections, languages, timeZone, language, t, given: {}, errors: [], services }),
    intro: pickText(survey.intro, language, languages),
    organiser: { name: textIn(collective.profile.name, language) },
    ...presentPromise(names, answerBy, false),
  };
}
