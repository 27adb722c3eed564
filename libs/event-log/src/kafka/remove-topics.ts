import kafkajs from 'kafkajs';

/** Removes every topic and group with a prefix: what a test leaves behind. An empty prefix is refused. */
export async function removeTopics(brokers: string[], prefix: string): Promise<void> {
  if (prefix === '') throw new Error('a prefix is needed: without one every topic of the cluster would go');
  const admin = new kafkajs.Kafka({ brokers, clientId: 'remove-topics', logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    const empty = groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(prefix));
    // A group whose members have just left may not be empty yet; it expires by itself.
    if (empty.length > 0) await admin.deleteGroups(empty).catch(() => undefined);
  } finally {
    await admin.disconnect();
  }
}
