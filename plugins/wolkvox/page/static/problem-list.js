// What went wrong on the chosen days, by reason, as rows of one table.
import { campaignName } from "./content.js";
import { explain, say } from "./texts.js";

const refused = ({ state, reason, records, message }) => ({
  kind: state,
  sentence: explain(reason) ?? reason ?? say("records.none_given"),
  note: explain(reason) ? reason : null,
  records,
  message,
  wanted: { state: [state], reason },
});

const suspended = ({ waiting, message, ...campaign }) => ({
  kind: "suspended",
  sentence: say("problem.campaign", { campaign: [campaignName(campaign), campaign.name].filter(Boolean).join(" ") }),
  note: explain(campaign.reason) ?? campaign.reason,
  records: waiting,
  message,
  wanted: { type_campaign: campaign.type_campaign, campaign_id: campaign.campaign_id, state: ["pending"] },
});

const dialled = ({ cause, contacts }) => ({
  kind: "dialled",
  sentence: explain(`breach_${cause}`) ?? cause,
  note: say(`breach.${cause}`),
  records: contacts,
  message: null,
  wanted: { dialled: cause },
});

/** All of them, the most frequent first. */
export const problems = ({ reasons, suspended: campaigns, breaches }) =>
  [...reasons.map(refused), ...campaigns.map(suspended), ...breaches.map(dialled)].sort(
    (one, other) => other.records - one.records,
  );
