package chain

// A rule is one rule of voting or settling. The tests take each away to see
// that something fails without it; the zero set takes none away.
type rule uint64

const (
	// Which votes count.
	ruleSignature rule = 1 << iota
	ruleVoter
	ruleSourceRound // a source's round is lower than the vote's
	ruleSourceStart // a source of round 0 is the start of the era
	ruleSourceBlock // E <= X <= B
	ruleEraBlock    // a block lies at most at the next change of voters
	ruleEraSettled  // votes of an era count when its start is settled

	// What they say together.
	ruleQuorum
	ruleCertSource   // a certificate of Y: X <= Y
	ruleCertBlock    // and Y <= B
	ruleLinked       // settled by sources of the round just before
	ruleOneRound     // in votes of one round
	ruleSettleSource // at the settled block or above
	ruleWild         // who votes twice counts for every block
	ruleConflict     // of two conflicting settlements both lose the liars' votes

	// How an honest voter votes.
	ruleOnce        // never twice in a round, never in a lower one
	ruleForward     // never with a source lower than the last
	ruleRoot        // for what descends from the highest certificate
	ruleFirstChange // at most for the first block that changes the voters
	ruleHeldSource  // after the speaker only with a source that is held
	ruleSpeaker     // after the speaker at all
	ruleDwell
	ruleDouble // dwells grow
	ruleFollow // for what it could follow
	ruleRestored

	lastRule
)

// on reports whether r is in force when the rules of off are taken away.
func (off rule) on(r rule) bool { return off&r == 0 }
