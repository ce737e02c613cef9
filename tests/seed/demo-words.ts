// What the people of the demo community talk about: allotments by a harbour. Every sentence is put together from these lists by a seeded generator.

export const people = [
  { username: 'marit', share: 26 },
  { username: 'bogdan.k', share: 22 },
  { username: 'yusra', share: 18 },
  { username: 'tam_le', share: 15 },
  { username: 'featherstonehaugh.nakamura', share: 11 },
  { username: 'ola', share: 8 },
] as const

export interface DemoChannel {
  name: string
  topic: string
  /** Of 100 messages, about this many are here. */
  share: number
  openers: readonly string[]
  things: readonly string[]
}

export const demoCommunity = 'Harbour Plots'

export const demoChannels: readonly DemoChannel[] = [
  {
    name: 'general',
    topic: 'Whatever the day brings. The gate code is in the shed, not here.',
    share: 24,
    openers: [
      'Morning from the gate:',
      'Just walked past,',
      'Quick one:',
      'For those who were not there,',
      'Found out today that',
    ],
    things: [
      'the ferry is late and the kettle is on',
      'somebody left a barrow across the path',
      'the tide took two planks of the jetty again',
      'the cats are asleep in the cold frame',
      'the noticeboard has a new roof',
    ],
  },
  {
    name: 'seeds-and-swaps',
    topic: 'Offer, ask, swap. Say the year on the packet.',
    share: 11,
    openers: ['Offering:', 'Looking for', 'Swap?', 'Still to give away:', 'Last call:'],
    things: [
      'a jar of borage seed from last year',
      'runner beans, the white ones',
      'twelve leek seedlings, sturdy',
      'garlic for planting, purple',
      'tomato plants, three kinds, all unlabelled',
    ],
  },
  {
    name: 'weather-watch',
    topic: 'Frost, wind, flood. Measured at the gauge by plot 9.',
    share: 10,
    openers: ['Gauge says', 'Tonight:', 'Forecast has changed,', 'From the harbour office:', 'Measured just now:'],
    things: [
      'minus two on the grass, fleece everything',
      '31 mm since Sunday',
      'north-east, force six, tie the cloches down',
      'spring tide at 04:12, the low plots will be wet',
      '17 degrees in the polytunnel and it is February',
    ],
  },
  {
    name: 'pests-and-cures',
    topic: 'What ate it, and what helped. Pictures welcome, poison not.',
    share: 9,
    openers: [
      'Something ate',
      'Does anyone know what makes holes in',
      'Good news about',
      'Third year of',
      'Lost the whole row of',
    ],
    things: [
      'the brassicas, down to the ribs',
      'the strawberries, and it has small neat teeth',
      'the beans, though the copper tape held',
      'the chard: leaf miner, I think',
      'the young lettuce overnight',
    ],
  },
  {
    name: 'harvest',
    topic: 'Weigh it, show it, share the surplus.',
    share: 10,
    openers: ['Today:', 'First of the year:', 'Too much of it:', 'Weighed in:', 'From the far bed:'],
    things: [
      '4.2 kg of courgettes from two plants',
      'a bowl of raspberries that never reached the house',
      'the pumpkin, 11 kg, needs two people',
      'new potatoes, the size of eggs',
      'a carrot with three legs',
    ],
  },
  {
    name: 'kitchen-table',
    topic: 'What to do with all of it.',
    share: 8,
    openers: ['Made', 'Tried', 'Recipe for', 'Do not repeat my', 'Everyone asked for'],
    things: [
      'the green tomato chutney, with less sugar',
      'beetroot in the bread, it stays pink',
      'borscht for nine',
      'pickled nasturtium seeds instead of capers',
      'a leek tart that fed the whole work party',
    ],
  },
  {
    name: 'tool-shed',
    topic: 'Borrow, bring back, say when it breaks.',
    share: 7,
    openers: ['Borrowed', 'Back in the shed:', 'Broken again:', 'Who has', 'Sharpened'],
    things: [
      'the long-handled shears',
      'the big wheelbarrow, tyre is flat',
      'both rakes',
      'the strimmer, it starts at the third pull',
      'the spirit level, I only need it on Saturday',
    ],
  },
  {
    name: 'work-parties',
    topic: 'First Saturday of the month, ten o’clock, bring gloves.',
    share: 6,
    openers: ['Saturday:', 'Plan for the next one:', 'We were seven and did', 'Still needs hands:', 'Thank you for'],
    things: [
      'the drain along the east fence',
      'turning the compost, all four bays',
      'the new steps down to the water',
      'painting the gate, it is now properly green',
      'clearing plot 14 for the school',
    ],
  },
  {
    name: 'bees',
    topic: 'Two hives behind plot 20. Keep the path clear.',
    share: 5,
    openers: ['Hive one:', 'Hive two:', 'Inspection done,', 'Swarm alert:', 'Seen at the entrance:'],
    things: [
      'calm, six frames of brood',
      'a new queen, marked white',
      'light, feeding them tonight',
      'wasps trying their luck',
      'pollen coming in bright orange, that is the crocus',
    ],
  },
  {
    name: 'polish-corner-po-polsku',
    topic: 'Rozmowy po polsku, wszyscy mile widziani.',
    share: 4,
    openers: ['Dzień dobry,', 'Kto ma czas w sobotę?', 'Przypominam:', 'Pytanie:', 'U mnie na działce'],
    things: [
      'ogórki już kiszone',
      'potrzebuję dwóch desek na grządkę',
      'koper wysiał się sam',
      'jutro podlewam o szóstej rano',
      'czy ktoś widział moje rękawice?',
    ],
  },
  {
    name: 'حديث-عام',
    topic: 'مكان هادئ للحديث بالعربية',
    share: 3,
    openers: ['صباح الخير،', 'سؤال سريع:', 'للتذكير:', 'اليوم في الحديقة', 'من جرّب هذا؟'],
    things: [
      'النعناع يملأ المكان',
      'أحتاج شتلات باذنجان',
      'الماء مقطوع حتى الظهر',
      'زرعت البقدونس أخيرًا',
      'العنب نضج هذا الأسبوع',
    ],
  },
  {
    name: 'committee',
    topic: 'Rents, rules and the harbour office. Minutes by Marit.',
    share: 3,
    openers: ['Minutes are up:', 'For the agenda:', 'The harbour office answered:', 'Vote closes on Friday:', 'Budget:'],
    things: [
      'rents stay as they are',
      'a second water tap by plot 3',
      'the insurance wants a photo of the fence',
      'waiting list is 31 names long',
      '£240 left, and the shed roof costs 300',
    ],
  },
]

export const replies = [
  'Yes please.',
  'I can do that.',
  'Not this week, sorry.',
  'Ha, same here.',
  'How deep did you plant it?',
  'That is the best news today.',
  'Put me down for two.',
  'Careful with the wind there.',
  'I will look on my way home.',
  'Mine did that last year, and then it recovered.',
  'Agreed, and thank you for doing it.',
  'よさそうですね、明日見に行きます。',
  'Чудово, я прийду о десятій.',
  'Picture?',
  'Where exactly?',
  'Done.',
] as const

export const asides = [
  'The heron is back, by the way.',
  'If it rains, we meet in the shed.',
  'I have photographed it from all sides and still do not know.',
  'My grandmother would have known.',
  'It took the whole afternoon, mostly because everybody who came past had an opinion about where it should go, and three of them were right.',
  'See https://example.org/allotments/notes for the long version.',
  'Cost nothing but a Saturday.',
  'The soil is still warm enough.',
] as const

export const emoji = ['🌱', '👍', '🐝', '🍅', '❤️', '😂', '🌧️'] as const
