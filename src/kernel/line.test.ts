import fc from "fast-check";
import { expect, test } from "vitest";
import { Line } from "./line.ts";

class Member {
  older: Member | null = null;
  newer: Member | null = null;
}

test("a line is what a set would be, whoever comes and goes", () => {
  const members = Array.from({ length: 6 }, () => new Member());
  fc.assert(
    fc.property(fc.array(fc.nat(members.length - 1), { maxLength: 60 }), (steps) => {
      const line = new Line<Member>();
      const set = new Set<Member>();
      for (const step of steps) {
        const member = members[step] ?? new Member();
        if (set.has(member)) {
          expect(line.delete(member)).toBe(true);
          set.delete(member);
          expect(line.delete(member)).toBe(false);
        } else {
          line.add(member);
          set.add(member);
        }
        expect(line.size).toBe(set.size);
        expect([...line]).toEqual([...set]);
        expect(line.oldest).toBe([...set].at(0) ?? null);
        expect(line.newest).toBe([...set].at(-1) ?? null);
        for (const each of members) expect(line.has(each)).toBe(set.has(each));
      }
      for (const member of set) line.delete(member);
    }),
  );
});

test("each may leave in its turn, and whoever has left holds nobody", () => {
  const line = new Line<Member>();
  const members = [new Member(), new Member(), new Member()];
  for (const member of members) line.add(member);
  const seen: Member[] = [];
  for (const member of line) {
    seen.push(member);
    line.delete(member);
  }
  expect(seen).toEqual(members);
  expect(line.size).toBe(0);
  for (const { older, newer } of members) expect([older, newer]).toEqual([null, null]);
});

test("one that left before its turn is passed by", () => {
  const line = new Line<Member>();
  const [first, second, third] = [new Member(), new Member(), new Member()];
  for (const member of [first, second, third]) line.add(member);
  const seen: Member[] = [];
  for (const member of line) {
    seen.push(member);
    line.delete(second);
  }
  expect(seen).toEqual([first, third]);
});
