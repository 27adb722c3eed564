import { type Feed, PartitionReader, type ReaderOptions } from '../partition-reader.ts';

/** One consumer of a group in this process. */
export interface Member {
  readonly partitions: number[];
  feed(partition: number): Feed;
  readerOptions(partition: number): ReaderOptions;
  readers: Map<number, PartitionReader>;
}

/** The members of one group on one topic. Each partition has one reader at a time: a new owner waits for the old one's batch. */
export class Group {
  private readonly members: Member[] = [];
  private balancing: Promise<void> = Promise.resolve();

  join(member: Member): Promise<void> {
    this.members.push(member);
    return this.rebalance();
  }

  leave(member: Member): Promise<void> {
    const at = this.members.indexOf(member);
    if (at >= 0) this.members.splice(at, 1);
    return this.rebalance(member);
  }

  private rebalance(leaving?: Member): Promise<void> {
    return (this.balancing = this.balancing.then(() => this.settle(leaving)));
  }

  private async settle(leaving?: Member): Promise<void> {
    await Promise.all([...this.members, ...(leaving ? [leaving] : [])].map((member) => this.revoke(member)));
    for (const member of this.members)
      for (const partition of member.partitions.filter(
        (one) => this.ownerOf(one) === member && !member.readers.has(one),
      ))
        member.readers.set(
          partition,
          new PartitionReader(member.feed(partition), member.readerOptions(partition)).start(),
        );
  }

  private async revoke(member: Member): Promise<void> {
    const lost = [...member.readers].filter(([partition]) => this.ownerOf(partition) !== member);
    await Promise.all(lost.map(([, reader]) => reader.stop()));
    for (const [partition] of lost) member.readers.delete(partition);
  }

  private ownerOf(partition: number): Member | undefined {
    return this.members[partition % this.members.length];
  }
}
