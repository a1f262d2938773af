/** Random changes to a disk, as a virtual machine makes them: writes, rewrites of the same bytes, clears, at every size. Seeded. */
import { createCipheriv } from 'node:crypto'
import type { LocalAzure } from '../../simulator/azure.ts'
import { KIB, MIB, PAGE_BYTES } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'

export interface RandomDisk {
  /** Makes `count` random changes. */
  change(count: number): Promise<void>
}

/** @param reachBytes changes stay below it; small disks overlap more. */
export function createRandomDisk(azure: LocalAzure, diskId: string, reachBytes: number, seed: number): RandomDisk {
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const pages = (limitBytes: number): number => below(limitBytes / PAGE_BYTES) * PAGE_BYTES
  const lengths = [PAGE_BYTES, 4 * KIB, 64 * KIB, 512 * KIB, 5 * MIB]

  const range = (): { offsetBytes: number; lengthBytes: number } => {
    const lengthBytes = PAGE_BYTES + pages(lengths[below(lengths.length)]!)
    return { lengthBytes, offsetBytes: pages(reachBytes - lengthBytes) }
  }
  return {
    async change(count) {
      for (let index = 0; index < count; index++) {
        const { offsetBytes, lengthBytes } = range()
        const dice = random()
        if (dice < 0.6) await azure.writeDisk(diskId, offsetBytes, noise(lengthBytes, random))
        else if (dice < 0.7) await azure.writeDisk(diskId, offsetBytes, Buffer.alloc(lengthBytes))
        else if (dice < 0.8) await azure.writeDisk(diskId, offsetBytes, await azure.readDisk(diskId, offsetBytes, lengthBytes))
        else azure.clearDisk(diskId, offsetBytes, lengthBytes)
      }
    },
  }
}

/** Bytes that no two seeds have in common. A cipher's key stream: quick, as much is asked for. */
export function noise(lengthBytes: number, random: () => number): Buffer {
  const key = Buffer.alloc(16)
  for (let at = 0; at < key.length; at += 4) key.writeUInt32LE(Math.floor(random() * 2 ** 32), at)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(lengthBytes))
}
