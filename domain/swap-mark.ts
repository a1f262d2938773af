/**
 * What a virtual machine notes in a tag while one of its data disks is swapped: Azure takes two steps for that, and the second one must
 * know the place of a disk that is gone from the machine by then. One tag a disk, so that swaps of several do not meet.
 */
import { z } from 'zod'
import type { DiskAttachment } from './attachment.ts'
import { tagOf, type Tags } from './tags.ts'

const swapMark = z.object({
  lun: z.number().int().nonnegative(),
  caching: z.string().exactOptional(),
  writeAccelerator: z.boolean().exactOptional(),
  /** Of the disk that was detached; its subscription is that of the machine. */
  resourceGroup: z.string(),
})

export type SwapMark = Readonly<z.infer<typeof swapMark>>

/** @returns the tags with the mark. A value is far below the 256 characters that Azure takes. */
export function withSwapMark(tags: Tags, diskName: string, { lun = 0, caching, writeAccelerator }: DiskAttachment, resourceGroup: string): Tags {
  const mark: SwapMark = { lun, resourceGroup, ...(caching !== undefined && { caching }), ...(writeAccelerator !== undefined && { writeAccelerator }) }
  return { ...withoutSwapMark(tags, diskName), [tagNameOf(diskName)]: JSON.stringify(mark) }
}

export function withoutSwapMark(tags: Tags, diskName: string): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([name]) => name.toLowerCase() !== tagNameOf(diskName)))
}

/** @returns undefined where no swap of the disk is open, or somebody else wrote the tag. */
export function swapMarkOf(tags: Tags, diskName: string): SwapMark | undefined {
  try {
    return swapMark.parse(JSON.parse(tagOf(tags, tagNameOf(diskName)) ?? ''))
  } catch {
    return undefined
  }
}

function tagNameOf(diskName: string): string {
  return `snapferry-swap-${diskName.toLowerCase()}`
}
