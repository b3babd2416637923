package chain

import "testing"

// mutations names every rule, and the check that fails without it.
var mutations = []struct {
	rule    rule
	without string
	fails   string
}{
	{ruleSignature, "the signature of a vote", "refused votes"},
	{ruleVoter, "that a device is a voter", "refused votes"},
	{ruleSourceRound, "that a source is of a lower round", "refused votes"},
	{ruleSourceStart, "that only the start of the era needs no votes", "refused votes"},
	{ruleSourceBlock, "that the source lies between the era's start and the block", "refused votes"},
	{ruleEraBlock, "that a block lies at most at the next change of voters", "refused votes"},
	{ruleEraSettled, "that an era's start is settled first", "refused votes"},
	{ruleQuorum, "one vote of the quorum", "explored: no conflict"},
	{ruleCertSource, "X <= Y in a certificate", "explored: no conflict"},
	{ruleCertBlock, "Y <= B in a certificate", "explored: no conflict"},
	{ruleLinked, "that settling sources are of the round just before", "explored: no conflict"},
	{ruleOneRound, "that settling votes are of one round", "what settles"},
	{ruleSettleSource, "that settling sources are at the block or above", "explored: no conflict"},
	{ruleWild, "that who votes twice counts for all", "two votes count for all"},
	{ruleConflict, "that liars lose their votes in a conflict", "conflict loses the liars' votes"},
	{ruleOnce, "one vote in a round, none in a lower one", "explored: no conflict"},
	{ruleForward, "that a source never goes back", "explored: no conflict"},
	{ruleRoot, "that the head descends from the highest certificate", "explored: healing"},
	{ruleFirstChange, "to vote at most for the first change of voters", "what a voter does"},
	{ruleHeldSource, "that a source is held", "explored: no conflict"},
	{ruleSpeaker, "the speaker", "what a voter does"},
	{ruleDwell, "the dwell", "what a voter does"},
	{ruleDouble, "that dwells double", "what a voter does"},
	{ruleFollow, "to vote for what was followed", "what a voter does"},
	{ruleRestored, "that a restored device keeps silent", "what a voter does"},
}

// TestEveryRuleMatters takes each rule away and sees its check fail.
func TestEveryRuleMatters(t *testing.T) {
	byName := map[string]func(rule) error{}
	for _, c := range checks {
		byName[c.name] = c.run
	}
	var all rule
	for _, m := range mutations {
		all |= m.rule
		err := byName[m.fails](m.rule)
		if err == nil {
			t.Errorf("without %s: %s still holds", m.without, m.fails)
			continue
		}
		t.Logf("without %s, %s fails: %.160v", m.without, m.fails, err)
	}
	if all != lastRule-1 {
		t.Errorf("rules %b are in no mutation", (lastRule-1)&^all)
	}
}
