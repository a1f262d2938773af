/**
 * What is on the demo's disk, and how it changes: a real ext4 file system where e2fsprogs is installed, else generated
 * blocks. Both work on an image file, as a virtual machine's disk is worked on while it is detached.
 */
import { createExt4Content } from './ext4-content.ts'
import { createGeneratedContent } from './generated-content.ts'

export interface DiskContent {
  /** One line for the reader. */
  readonly description: string
  /** Makes the image file with the first content. */
  create(imageFile: string, sizeBytes: number): Promise<void>
  /** Rewrites, adds and deletes within the image. @param round 1 for the first change */
  change(imageFile: string, round: number): Promise<void>
  /** Looks whether an image makes sense and says what it found. @throws when it does not. */
  inspect(imageFile: string): Promise<string>
}

/** @param workFolder for files that go onto the disk */
export async function chooseContent(workFolder: string): Promise<DiskContent> {
  return (await createExt4Content(workFolder)) ?? createGeneratedContent()
}
