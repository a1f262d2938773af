import type { Journal, JournalPart, WriteEntry } from '../state/journal.ts'
import type { DataFile } from './data-file.ts'
import { RunMap, RunSnapshot, type Leaf } from './run-map.ts'
import { FrozenSparseVolume, SparseVolume, type VolumePages } from './sparse-volume.ts'
import type { VolumeLog } from './volume-log.ts'

/**
 * The volumes of a store as a part of the journal: where the bytes of each lie in the data file.
 *
 * Nobody says when a volume is given up. So the log keeps them all until it is rewritten, and then those only that
 * other parts name in their entries.
 */

/** Short, since there is one for each page write. */
type VolumeEntry =
  | readonly ['create', id: number, sizeBytes: number]
  | readonly ['run', id: number, startBytes: number, endBytes: number, location: number]
  | readonly ['hole', id: number, startBytes: number, endBytes: number]
  | readonly ['resize', id: number, sizeBytes: number]
  /** The present content of a volume is `id` from now on. */
  | readonly ['freeze', id: number, volumeId: number]
  | readonly ['fork', id: number, frozenId: number]
  /** A volume or point in time as a whole: leaves first, then the lists of their numbers. */
  | readonly ['leaf', number: number, starts: readonly number[], ends: readonly number[], locations: readonly number[]]
  | readonly ['volume', id: number, sizeBytes: number, coveredBytes: number, leaves: readonly number[]]
  | readonly ['frozen', id: number, sizeBytes: number, coveredBytes: number, leaves: readonly number[]]

/** Names are known, and what is referred to is watched, only until the log has been rewritten. */
interface Loading {
  readonly volumes: Map<number, SparseVolume>
  readonly frozen: Map<number, FrozenSparseVolume>
  readonly leaves: Map<number, Leaf>
  readonly inUse: Set<number>
}

export class KeptVolumes implements VolumeLog, JournalPart<VolumeEntry> {
  readonly name = 'volumes'
  readonly isKept: boolean
  readonly #pages: VolumePages
  readonly #write: WriteEntry<VolumeEntry>
  #loading: Loading | undefined
  #lastId = 0
  #lastLeaf = 0

  constructor(file: DataFile, journal: Journal) {
    this.#pages = { file, log: this }
    this.isKept = journal.isKept
    if (this.isKept) {
      this.#loading = { volumes: new Map(), frozen: new Map(), leaves: new Map(), inUse: new Set() }
    }
    this.#write = journal.join<VolumeEntry>(this)
  }

  create(sizeBytes: number): SparseVolume {
    const id = this.#nextId()
    const volume = new SparseVolume(this.#pages, id, sizeBytes, new RunMap())
    this.#write(['create', id, sizeBytes])
    return volume
  }

  /** @throws Error for an id that the log does not know, and after loading. */
  volume(id: number): SparseVolume {
    return required(this.#loading?.volumes.get(id), 'volume', id)
  }

  /** @throws Error as `volume` */
  frozenVolume(id: number): FrozenSparseVolume {
    return required(this.#loading?.frozen.get(id), 'frozen volume', id)
  }

  forked(content: FrozenSparseVolume): number {
    const id = this.#nextId()
    if (this.isKept) this.#write(['fork', id, content.id])
    return id
  }

  replaced(id: number, startBytes: number, endBytes: number, location: number | undefined): void {
    if (location === undefined) this.#write(['hole', id, startBytes, endBytes])
    else this.#write(['run', id, startBytes, endBytes, location])
  }

  resized(id: number, sizeBytes: number): void {
    this.#write(['resize', id, sizeBytes])
  }

  frozen(content: FrozenSparseVolume, origin: SparseVolume | undefined): number {
    const id = this.#nextId()
    if (!this.isKept) return id
    if (this.#loading !== undefined) {
      this.#loading.frozen.set(id, content)
    } else if (origin?.sizeBytes === content.sizeBytes && origin.runs.isStill(content.runs)) {
      this.#write(['freeze', id, origin.id])
    } else {
      for (const entry of this.#whole('frozen', id, content.sizeBytes, content.runs, new Map())) this.#write(entry)
    }
    return id
  }

  inUse(id: number): number {
    this.#loading?.inUse.add(id)
    return id
  }

  apply(entry: VolumeEntry): void {
    const loading = this.#loading
    if (loading === undefined) throw new Error('volumes are loaded already')
    this.#lastId = Math.max(this.#lastId, entry[0] === 'leaf' ? 0 : entry[1])
    switch (entry[0]) {
      case 'create':
        this.#putVolume(entry[1], entry[2], new RunMap())
        break
      case 'run':
        this.volume(entry[1]).runs.replace(entry[2], entry[3], entry[4])
        break
      case 'hole':
        this.volume(entry[1]).runs.replace(entry[2], entry[3])
        break
      case 'resize':
        this.volume(entry[1]).setSize(entry[2])
        break
      case 'freeze': {
        const { sizeBytes, runs } = this.volume(entry[2])
        this.#putFrozen(entry[1], sizeBytes, runs.snapshot())
        break
      }
      case 'fork': {
        const { sizeBytes, runs } = this.frozenVolume(entry[2])
        this.#putVolume(entry[1], sizeBytes, new RunMap(runs))
        break
      }
      case 'leaf':
        this.#lastLeaf = Math.max(this.#lastLeaf, entry[1])
        loading.leaves.set(entry[1], { starts: [...entry[2]], ends: [...entry[3]], locations: [...entry[4]] })
        break
      case 'volume':
        this.#putVolume(entry[1], entry[2], new RunMap(snapshotOf(loading, entry[4], entry[3])))
        break
      case 'frozen':
        this.#putFrozen(entry[1], entry[2], snapshotOf(loading, entry[4], entry[3]))
        break
    }
  }

  *entries(): Generator<VolumeEntry> {
    const loading = this.#loading
    if (loading === undefined) return
    this.#loading = undefined
    const numbers = new Map<Leaf, number>()
    for (const [id, { sizeBytes, runs }] of loading.volumes) {
      if (loading.inUse.has(id)) yield* this.#whole('volume', id, sizeBytes, runs.snapshot(), numbers)
    }
    for (const [id, { sizeBytes, runs }] of loading.frozen) {
      if (loading.inUse.has(id)) yield* this.#whole('frozen', id, sizeBytes, runs, numbers)
    }
  }

  /** Leaves that have a number already are shared with what was written before, and stay so. */
  *#whole(
    kind: 'volume' | 'frozen',
    id: number,
    sizeBytes: number,
    runs: RunSnapshot,
    numbers: Map<Leaf, number>,
  ): Generator<VolumeEntry> {
    const leaves: number[] = []
    for (const leaf of runs.leaves) {
      let number = numbers.get(leaf)
      if (number === undefined) {
        number = this.#lastLeaf += 1
        numbers.set(leaf, number)
        yield ['leaf', number, leaf.starts, leaf.ends, leaf.locations]
      }
      leaves.push(number)
    }
    yield [kind, id, sizeBytes, runs.coveredBytes, leaves]
  }

  #putVolume(id: number, sizeBytes: number, runs: RunMap): void {
    this.#loading?.volumes.set(id, new SparseVolume(this.#pages, id, sizeBytes, runs))
  }

  #putFrozen(id: number, sizeBytes: number, runs: RunSnapshot): void {
    this.#loading?.frozen.set(id, new FrozenSparseVolume(this.#pages, sizeBytes, runs, id))
  }

  #nextId(): number {
    this.#lastId += 1
    return this.#lastId
  }
}

function snapshotOf(loading: Loading, leaves: readonly number[], coveredBytes: number): RunSnapshot {
  return new RunSnapshot(
    leaves.map((number) => required(loading.leaves.get(number), 'leaf', number)),
    coveredBytes,
  )
}

function required<Thing>(thing: Thing | undefined, kind: string, id: number): Thing {
  if (thing === undefined) throw new Error(`the journal names a ${kind} ${id} that it does not hold`)
  return thing
}
