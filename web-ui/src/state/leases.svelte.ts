// Leases as pages see and change them: all of them by resource, one's own, and what has become of those without one's
// own doing. The feed brings them; what is done here is seen when it comes back by the feed.

import { untrack } from 'svelte';

import { api, ask, type Schemas } from '../api/client';
import { lookOfHealth } from '../leases/health';
import { LeaseMap, isOf, type Lease } from '../leases/standing';
import { clockTime } from '../leases/times';
import { news } from '../leases/words';
import { clock } from './clock.svelte';
import { deeds } from './deeds.svelte';
import { lab } from './lab.svelte';
import { session } from './session.svelte';

export type { Lease };
export type LeaseRequest = Schemas['LeaseRequest'];
export type Forecast = Schemas['LeaseForecast'];

/** What a person says of a resource. */
export type Judged = 'fit' | 'dirty' | 'out_of_service';

/** What is asked for in a dialog. */
export type LeaseDialog =
    | { kind: 'take'; resources: readonly string[]; suts?: readonly string[] }
    | { kind: 'book'; resources: readonly string[]; from?: number; to?: number }
    | { kind: 'extend'; lease: Lease }
    | { kind: 'move'; lease: Lease; from?: number; to?: number; problem?: string }
    | { kind: 'transfer'; lease: Lease }
    | { kind: 'allow'; lease: Lease }
    | { kind: 'force'; lease: Lease }
    | { kind: 'judge'; resources: readonly string[]; health: Judged };

const MINUTE = 60_000;
/** Before the end of a lease of one's own this long it is said, if the lease was for more than twice of it. */
const SOON_MILLIS = 10 * MINUTE;

class Leases {
    /** What is asked now. */
    dialog = $state.raw<LeaseDialog>();
    /** The minute it is: what is left of leases is said no more exactly, and rows are not written anew each second. */
    readonly minute: number = $derived(Math.floor(clock.now / MINUTE) * MINUTE);
    /** All that are not over, by resource. */
    readonly map: LeaseMap = $derived(new LeaseMap(lab.leases));
    /** One's own that are not over. */
    readonly own: readonly Lease[] = $derived(lab.leases.filter((lease) => isOf(lease, session.user)));
    /** What is free for oneself, and has to be accepted. */
    readonly offered: readonly Lease[] = $derived(this.own.filter(({ state }) => state === 'offered'));
    /** One's own that will be over soon. */
    readonly closing: readonly Lease[] = $derived(this.own.filter((lease) => isClosing(lease, this.minute)));

    #seen: ReadonlyMap<number, Lease> | undefined;
    /** Those that one has given back here: no news. */
    readonly #done = new Set<number>();

    /** Tells what becomes of one's own leases, as long as the calling effect lives. */
    follow(): () => void {
        $effect(() => {
            const now = new Map(this.own.map((lease) => [lease.id, lease]));
            // The lists of the lab come together.
            const fresh = lab.eps !== undefined;
            untrack(() => {
                if (this.#seen !== undefined) this.#tell(this.#seen, now);
                // Before the first list has come nothing is new.
                this.#seen = fresh ? now : undefined;
            });
        });
        return () => {
            this.#seen = undefined;
            this.dialog = undefined;
        };
    }

    #tell(before: ReadonlyMap<number, Lease>, now: ReadonlyMap<number, Lease>): void {
        for (const lease of now.values()) this.#tellOne(before.get(lease.id), lease);
        for (const lease of before.values())
            if (!now.has(lease.id) && !this.#done.delete(lease.id)) void this.#tellEnd(lease);
    }

    /** What is over is in no list any more: how it ended is asked for. */
    async #tellEnd(before: Lease): Promise<void> {
        if (session.state !== 'in') return;
        await deeds.try(`Nobody can tell how your lease ${before.id} ended`, async () =>
            this.#tellOne(before, await this.one(before.id)),
        );
    }

    #tellOne(before: Lease | undefined, lease: Lease): void {
        const text = news(before, lease, { user: session.user, now: clock.now });
        if (text === undefined) return;
        deeds.tell(text, { href: `/leases/${lease.id}`, text: `Lease ${lease.id}` });
        // Who has another window in front of this one is told, too, if they once said so.
        if (document.hidden && 'Notification' in window && Notification.permission === 'granted')
            new Notification('Jackfield', { body: text, tag: `lease ${lease.id}` });
    }

    /** One lease, over or not. */
    one(lease: number): Promise<Lease> {
        return ask(api.GET('/api/v1/leases/{lease}', { params: { path: { lease } } }));
    }

    /** Whom something can be handed over to, or who can be let in. */
    async people(): Promise<string[]> {
        return (await ask(api.GET('/api/v1/people'))).items.map(({ name }) => name);
    }

    /** What would come of a wish. */
    forecast(body: LeaseRequest): Promise<Forecast> {
        return ask(api.POST('/api/v1/leases/forecast', { body }));
    }

    /** Takes, joins the queue, or books. */
    async take(body: LeaseRequest): Promise<void> {
        const lease = await ask(api.POST('/api/v1/leases', { body }));
        const link = { href: `/leases/${lease.id}`, text: `Lease ${lease.id}` };
        const until = lease.until ? ` until ${clockTime(Date.parse(lease.until), clock.now)}` : '';
        if (lease.state === 'active') deeds.tell(`You have ${lease.name}${until}.`, link);
        else if (lease.state === 'asked') deeds.tell(`${lease.name} is booked.`, link);
        else deeds.tell(`You wait for ${lease.name}${lease.place ? `, place ${lease.place}` : ''}.`, link);
    }

    async extend({ id }: Lease, until: number): Promise<void> {
        const params = { path: { lease: id } };
        const body = { until: new Date(until).toISOString() };
        const lease = await ask(api.POST('/api/v1/leases/{lease}/extend', { params, body }));
        deeds.tell(`You have ${lease.name} until ${clockTime(until, clock.now)}.`);
    }

    /** Another time for a booking. */
    async move({ id, name }: Lease, from: number, to: number): Promise<void> {
        const params = { path: { lease: id } };
        const body = { begin: new Date(from).toISOString(), for_millis: to - from };
        await ask(api.POST('/api/v1/calendar/{lease}/move', { params, body }));
        deeds.tell(`${name} is booked from ${clockTime(from, clock.now)} to ${clockTime(to, clock.now)}.`);
    }

    async accept({ id, name }: Lease): Promise<void> {
        await deeds.try(`${name} was not taken`, async () => {
            const params = { path: { lease: id } };
            const lease = await ask(api.POST('/api/v1/leases/{lease}/accept', { params }));
            const until = lease.until ? ` until ${clockTime(Date.parse(lease.until), clock.now)}` : '';
            deeds.tell(`You have ${name}${until}.`);
        });
    }

    /** Gives back, stops to wait, or cancels. */
    async release({ id }: Lease): Promise<void> {
        this.#done.add(id);
        await ask(api.POST('/api/v1/leases/{lease}/release', { params: { path: { lease: id } } }));
    }

    /** The same where nothing is lost by it that could not be had again. */
    async letGo(lease: Lease): Promise<void> {
        await deeds.try(`${lease.name} was not given up`, () => this.release(lease));
    }

    async force({ id, name, user }: Lease, reason: string, grace: number): Promise<void> {
        const params = { path: { lease: id } };
        const body = { reason, grace_millis: grace };
        await ask(api.POST('/api/v1/leases/{lease}/force', { params, body }));
        deeds.tell(`${name} is taken away from ${user ?? 'its holder'}, who reads why.`);
    }

    async allow({ id, name }: Lease, user: string, allowed: boolean): Promise<void> {
        const params = { path: { lease: id } };
        await ask(api.POST('/api/v1/leases/{lease}/allow', { params, body: { user, allowed } }));
        deeds.tell(allowed ? `${user} may use ${name}, too.` : `${user} may not use ${name} any more.`);
    }

    /** Says how fit a resource is. */
    async judge(resource: string, health: Judged, reason: string): Promise<void> {
        const body = { resource, health, reason };
        const { check } = await ask(api.PUT('/api/v1/resources/health', { body }));
        const checked = health === 'dirty' && check ? `; ${check} checks it as soon as nobody has it` : '';
        deeds.tell(`${resource} is ${lookOfHealth(health).word}${checked}.`);
    }

    async transfer({ id, name }: Lease, to: string): Promise<void> {
        this.#done.add(id);
        const params = { path: { lease: id } };
        const lease = await ask(api.POST('/api/v1/leases/{lease}/transfer', { params, body: { to } }));
        deeds.tell(`${name} is ${to}’s now, as lease ${lease.id}.`);
    }
}

function isClosing(lease: Lease, now: number): boolean {
    if (lease.state !== 'active' || !lease.until) return false;
    const until = Date.parse(lease.until);
    return until - now <= SOON_MILLIS && until - Date.parse(lease.since ?? lease.asked) > 2 * SOON_MILLIS;
}

export const leases = new Leases();
