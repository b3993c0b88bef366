/** A profile as a tree of calls: what a flame graph shows. */
import type { EvaluationProfile, ProfileFrame, ProfilePlace } from '@neve/eval';
import type { FlameNode, Place, Profile } from '../protocol.ts';
import { projectFolder } from './project-world.ts';

type GrowingNode = Omit<FlameNode, 'ticks' | 'children'> & {
  ticks: number;
  readonly children: GrowingNode[];
};

/** Deeper calls count for those at this depth. */
const maximumDepth = 60;

export function flameTree({ stacks, tickMs }: EvaluationProfile): Profile {
  const root: GrowingNode = { name: 'the program', place: undefined, ticks: 0, children: [] };
  for (const { frames, ticks } of stacks) {
    root.ticks += ticks;
    let node = root;
    for (const frame of frames.slice(0, maximumDepth)) {
      node = childFor(node, frame);
      node.ticks += ticks;
    }
  }
  return { root, tickMs };
}

function childFor(node: GrowingNode, { function: called, site }: ProfileFrame): GrowingNode {
  const place = placeOf(called.place ?? site);
  const unnamed = place === undefined ? 'function' : `function, line ${place.line}`;
  const name = called.kind === 'collector' ? 'garbage collector' : (called.name ?? unnamed);
  const key = `${name} ${place?.file}:${place?.line}:${place?.column}`;
  const known = node.children.find(
    (it) => `${it.name} ${it.place?.file}:${it.place?.line}:${it.place?.column}` === key,
  );
  if (known !== undefined) return known;
  const made: GrowingNode = { name, place, ticks: 0, children: [] };
  node.children.push(made);
  return made;
}

function placeOf(place: ProfilePlace | undefined): Place | undefined {
  if (place === undefined || !place.file.startsWith(`${projectFolder}/`)) return undefined;
  return { ...place, file: place.file.slice(projectFolder.length + 1) };
}
