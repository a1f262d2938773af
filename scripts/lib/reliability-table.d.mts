/** Of the reports in a folder, in Markdown. */
export declare function tableOf(folder: string): Promise<string>
