export interface ScanResult {
  readonly count: number
  readonly bytes: number
  readonly findings: readonly string[]
}

/** Of the `default` namespace of a Temporal server. */
export declare function scanHistories(address: string): Promise<ScanResult>
/** Of every file below a folder. */
export declare function scanFiles(folder: string): Promise<ScanResult>
