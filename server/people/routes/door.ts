// What all routes with passwords share: Passport with one local strategy, the start of a session, the limits.
import type { Request, RequestHandler, Response } from 'express';
import passportModule from 'passport';
import { Strategy } from 'passport-local';
import { DomainError } from '../../errors.js';
import { contextOf, type House } from '../../house.js';
import { csrfToken } from '../../http/csrf.js';
import { addressKey, type Limit, limiter, withinLimit } from '../../http/limits.js';
import { newId } from '../../ids.js';
import { readLink, signLink } from '../../secrets.js';
import { authenticate } from '../actions/signIn.js';
import { findPerson, findPersonByLogin } from '../queries.js';
import { day, emailKeyOf, hour, minute } from '../rules.js';
import type { Person } from '../schema.js';

declare global {
  namespace Express {
    /** What Passport carries from the password to the session. */
    interface User {
      id: string;
      epoch: number;
    }
  }
}

const perAccount: Limit = { name: 'sign-in.account', limit: 10, windowMs: 15 * minute, grows: true };
const perDevice: Limit = { name: 'sign-in.device', limit: 10, windowMs: 15 * minute, grows: true };
const perAddress: Limit = { name: 'sign-in.address', limit: 50, windowMs: 15 * minute, grows: true };
const perProof: Limit = { name: 'proof', limit: 10, windowMs: 15 * minute, grows: true };
const perForm: Limit = { name: 'account-form.address', limit: 30, windowMs: hour };
const perMailbox: Limit = { name: 'mail.mailbox', limit: 3, windowMs: hour };

/** Days for which a browser that signed in counts as known: strangers' tries do not lock it out. */
const deviceDays = 365;

export interface Door {
  /** The person whose name and password the form holds. Refuses: invalid, too-many. */
  recognise(req: Request, res: Response): Promise<Person>;
  /** A new session for this person; the one before is gone. */
  startSession(req: Request, res: Response, person: Person): Promise<void>;
  /** Ends this session. */
  endSession(req: Request, res: Response): Promise<void>;
  /** Counts one try at a person's password behind the sign-in. Refuses: too-many. */
  countProof(req: Request, res: Response, personId: string): Promise<void>;
  /** Counts one form of a visitor that makes us hash or mail. Refuses: too-many. */
  countForm(req: Request, res: Response): Promise<void>;
  /** Counts one mail to this mailbox: three an hour. */
  mayMail(email: string): Promise<boolean>;
  /** The record that a link in a mail names. Refuses: gone, as a link that was used. */
  idOf(purpose: string, token: string, spent: string): string;
}

export function openDoor(house: House): Door {
  const passport = passportFor(house);
  const limits = {
    account: limiter(house, perAccount, { failuresOnly: true }),
    device: limiter(house, perDevice, { failuresOnly: true }),
    address: limiter(house, perAddress, { failuresOnly: true }),
    proof: limiter(house, perProof, { failuresOnly: true }),
    form: limiter(house, perForm),
  };
  const prepare = passport.initialize();

  return {
    async recognise(req, res) {
      const login = String(req.body.login);
      const person = await findPersonByLogin(house.store, login);
      const account = person?._id ?? login.trim().toLowerCase();
      const device = knownDevice(house, req, account);
      if (device) {
        await limits.device(req, res, device);
      } else {
        await limits.address(req, res, addressKey(req));
        await limits.account(req, res, account);
      }
      const user = await tryPassword(passport, req, res);
      const found = await findPerson(house.store, user.id);
      if (!found) throw new DomainError('invalid', 'people.signIn.wrong');
      return found;
    },
    async startSession(req, res, person) {
      await run(prepare, req, res);
      const user: Express.User = { id: person._id, epoch: person.sessionEpoch };
      await new Promise<void>((resolve, reject) => {
        req.logIn(user, (error: unknown) => (error ? reject(error) : resolve()));
      });
      if (!knownDevice(house, req, person._id)) rememberDevice(house, res, person._id);
    },
    async endSession(req, res) {
      await run(prepare, req, res);
      await new Promise<void>((resolve, reject) => {
        req.logOut((error: unknown) => (error ? reject(error) : resolve()));
      });
      res.locals.actor = null;
    },
    countProof: (req, res, personId) => limits.proof(req, res, personId),
    countForm: (req, res) => limits.form(req, res, addressKey(req)),
    mayMail: (email) => withinLimit(house, perMailbox, emailKeyOf(email)),
    idOf(purpose, token, spent) {
      const id = readLink(house.secret, purpose, token);
      if (id === null) throw new DomainError('gone', spent);
      return id;
    },
  };
}

type OnePassport = InstanceType<typeof passportModule.Passport>;

/** A Passport of its own for each house, so that two in one process share nothing. */
function passportFor(house: House): OnePassport {
  const passport = new passportModule.Passport();
  passport.use(
    new Strategy({ usernameField: 'login', passwordField: 'password', session: false }, (login, password, done) => {
      authenticate(contextOf(house, null), login, password).then(
        (person) => done(null, { id: person._id, epoch: person.sessionEpoch }),
        (error: unknown) => done(error),
      );
    }),
  );
  // Runs after the session was made anew and before it is stored: one write carries all of it.
  passport.serializeUser((req: Request, user: Express.User, done: (error: unknown, id?: string) => void) => {
    req.session.epoch = user.epoch;
    req.session.device = deviceOf(req.headers['user-agent'] ?? '');
    // Now, not with the first form: of two tabs opened at once each would make one, and the form of one would be out of date.
    csrfToken(req);
    done(null, user.id);
  });
  return passport;
}

function tryPassword(passport: OnePassport, req: Request, res: Response): Promise<Express.User> {
  return new Promise((resolve, reject) => {
    const answer = (error: unknown, user?: Express.User | false | null) => {
      if (error) reject(error);
      else if (user) resolve(user);
      else reject(new DomainError('invalid', 'people.signIn.wrong'));
    };
    passport.authenticate('local', { session: false }, answer)(req, res, reject);
  });
}

function run(middleware: RequestHandler, req: Request, res: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    middleware(req, res, (error?: unknown) => (error ? reject(error) : resolve()));
  });
}

function deviceCookie(house: House): { name: string; secure: boolean } {
  const secure = house.site.baseUrl.startsWith('https:');
  return { name: secure ? '__Host-device' : 'device', secure };
}

/** The mark that this browser got when this account last signed in from it, else null. */
function knownDevice(house: House, req: Request, personId: string): string | null {
  const { name } = deviceCookie(house);
  const pair = (req.headers.cookie ?? '').split(/;\s*/).find((one) => one.startsWith(`${name}=`));
  const device = pair ? readLink(house.secret, 'device', decodeURIComponent(pair.slice(name.length + 1))) : null;
  return device?.startsWith(`${personId}_`) ? device : null;
}

function rememberDevice(house: House, res: Response, personId: string): void {
  const { name, secure } = deviceCookie(house);
  const value = signLink(house.secret, 'device', `${personId}_${newId()}`);
  res.cookie(name, value, { httpOnly: true, sameSite: 'lax', secure, path: '/', maxAge: deviceDays * day });
}

/** "Firefox, Linux": enough for a person to know their own browsers apart. Empty: it did not say. */
export function deviceOf(userAgent: string): string {
  const browsers: [RegExp, string][] = [
    [/\bEdg(e|A|iOS)?\//, 'Edge'],
    [/\bOPR\/|\bOpera/, 'Opera'],
    [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
    [/\bChrom(e|ium)\/|\bCriOS\//, 'Chrome'],
    [/\bSafari\//, 'Safari'],
  ];
  const systems: [RegExp, string][] = [
    [/\bAndroid\b/, 'Android'],
    [/\biPhone\b|\biPad\b/, 'iOS'],
    [/\bWindows\b/, 'Windows'],
    [/\bMac OS X\b/, 'macOS'],
    [/\bLinux\b|\bX11\b/, 'Linux'],
  ];
  const named = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(userAgent))?.[1];
  return [named(browsers), named(systems)].filter((part) => part !== undefined).join(', ');
}
