import { expect, it } from 'vitest';

import { ABSENT, Places } from './places';

/** Numbers that look like chance, and are the same in each run. */
function dice(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
    };
}

it('stands as a sort would have it, whatever changes', () => {
    for (const size of [0, 1, 2, 3, 31, 64, 100]) {
        const ranks = 4;
        const places = new Places(size, ranks);
        const model = Array.from({ length: size }, () => ABSENT);
        const roll = dice(size + 7);
        for (let step = 0; step < 300; step += 1) {
            if (size > 0) {
                const number = roll(size);
                const rank = roll(ranks + 1) === ranks ? ABSENT : roll(ranks);
                expect(places.put(number, rank)).toBe(model[number] !== rank);
                model[number] = rank;
            }
            const order = model
                .map((rank, number) => ({ rank, number }))
                .filter(({ rank }) => rank !== ABSENT)
                .sort((one, other) => one.rank - other.rank || one.number - other.number)
                .map(({ number }) => number);
            expect(places.length).toBe(order.length);
            expect(order.map((_, place) => places.at(place))).toEqual(order);
            expect(model.map((_, number) => places.of(number))).toEqual(
                model.map((_, number) => order.indexOf(number)),
            );
            expect([places.at(order.length), places.at(-1)]).toEqual([undefined, undefined]);
            expect(places.count(2)).toBe(model.filter((rank) => rank === 2).length);
        }
    }
});
