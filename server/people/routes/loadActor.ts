// Who is asking: read afresh for every request, so that a person disabled or a role taken away ends at once.
import type { RequestHandler } from 'express';
import type { Language } from '../../context.js';
import type { House } from '../../house.js';
import { actorOf, findPerson } from '../queries.js';
import { mayEnter } from '../rules.js';

export interface Preferences {
  language: Language | null;
  timeZone: string | undefined;
  showsPictures: boolean;
}

/** Sets res.locals.actor and res.locals.preferences. A session of a person who may not enter any more is ended. */
export function loadActor(house: House): RequestHandler {
  return async (req, res, next) => {
    const personId = req.session?.passport?.user;
    res.locals.actor = null;
    if (personId === undefined) return next();
    const person = await findPerson(house.store, personId);
    if (!person || !mayEnter(person) || req.session.epoch !== person.sessionEpoch) {
      return req.session.regenerate((error) => next(error));
    }
    res.locals.actor = await actorOf(house.store, person);
    const preferences: Preferences = {
      language: person.language,
      timeZone: person.timeZone ?? undefined,
      showsPictures: person.showsPictures ?? false,
    };
    res.locals.preferences = preferences;
    next();
  };
}
