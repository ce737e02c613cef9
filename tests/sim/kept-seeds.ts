// Seeds that once failed, and what they found: run with every test, whatever else is drawn.
export const keptSeeds: readonly (readonly [seed: number, found: string])[] = [
  [15, 'an accepted edit of a message deleted in the same turn stayed in the outbox with its words'],
  [113, 'the same, where the redact came before the verdict'],
  [119, 'a member of rolled-back commands stayed in the roster after a restore'],
  [133, 'a removal that was rolled back stayed in the roster after a restore'],
  [96, 'following a chain anew dropped channels that its later commands make, with their outbox'],
  [72, 'what was known and redacted in one frame stayed in the outbox with its words'],
  [1062, 'news of one member passed for the whole roster while the answer was due'],
  [24, 'a command that was done before a restore was never given again'],
  [8, 'own words that waited kept newer ones of others from sight'],
  [314, 'the newest head lay in the place of an older one until a list came'],
  [146, 'an edit of what was accepted before the relay’s clock was set back waited until that time'],
  [125, 'a relay whose clock was set back refused writes for want of room, and beat nobody, until it had caught up'],
  [11, 'a disk that was set back whole went unnoticed once as many commits had been made again'],
  [13, 'a device whose clock was set back took a half-open line for a living one until it had caught up'],
]
