package api

import (
	"context"
	"fmt"
	"strings"

	"kith/internal/chain"
	"kith/internal/node"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

// What of a group can no longer be undone, and who decides that.

func (s *service) GetSettlement(_ context.Context, r *v1.GetSettlementRequest) (*v1.Settlement, error) {
	g, err := s.chat(r.Group, "group")
	if err != nil {
		return nil, err
	}
	return s.answerSettlement(g)
}

func (s *service) SetVoters(_ context.Context, r *v1.SetVotersRequest) (*v1.Settlement, error) {
	g, err := s.chat(r.Group, "group")
	if err != nil {
		return nil, err
	}
	var people []wire.PersonID
	for _, ref := range r.Persons {
		p, err := s.person(ref)
		if err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	if err := s.node.SetVoters(g, people); err != nil {
		return nil, asConnect(err)
	}
	return s.answerSettlement(g)
}

func (s *service) answerSettlement(g wire.GroupID) (*v1.Settlement, error) {
	found, err := s.node.Settlement(g)
	if err != nil {
		return nil, asConnect(err)
	}
	return settlementOf(found), nil
}

func settlementOf(s node.Settlement) *v1.Settlement {
	out := &v1.Settlement{
		ChatId: s.Chat.String(), Settled: s.Block.String(), Height: s.Height, Round: s.Round, SettledBy: peopleOf(s.By),
		Open: s.Open, Quorum: uint32(s.Quorum), Liars: uint32(s.Liars), VotingRound: s.Voting,
		Waiting: waiting(s), Withstands: withstands(s), Muted: s.Muted, Coming: peopleOf(s.Coming),
	}
	for _, v := range s.Voters {
		voter := &v1.Voter{Person: personOf(v.Person), Voted: v.Voted, Gone: v.Gone && v.Device != (wire.DeviceID{})}
		if v.Device != (wire.DeviceID{}) {
			voter.Device = v.Device.String()
		}
		out.Voters = append(out.Voters, voter)
	}
	for _, in := range s.Incidents {
		out.Incidents = append(out.Incidents, incidentOf(in))
	}
	return out
}

func peopleOf(list []node.Person) (out []*v1.Person) {
	for _, p := range list {
		out = append(out, personOf(p))
	}
	return out
}

// namesOf is "you, Ann and Ben".
func namesOf(list []node.Person) string { return listed(list, " and ") }

func listed(list []node.Person, last string) string {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = nameOf(p)
	}
	return joined(names, last)
}

func joined(names []string, last string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + last + names[len(names)-1]
}

// capital begins a sentence.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// waiting says for whom the newest changes wait, and that nobody has to do anything
// for it: a program votes by itself.
func waiting(s node.Settlement) string {
	if s.Voting == 0 || s.Gone() {
		return ""
	}
	var lacking []node.Person
	voted, here, able := 0, 0, 0
	for _, v := range s.Voters {
		if v.Able() {
			able++
		}
		switch {
		case v.Voted:
			voted++
		case v.Able():
			lacking = append(lacking, v.Person)
			if v.Person.Me || v.Person.Connected {
				here++
			}
		}
	}
	needed := s.Quorum - voted
	var whom string
	switch {
	case voted == 0 || needed >= len(lacking): // before anybody spoke it waits for all
		whom = namesOf(lacking)
	case needed == 1:
		whom = listed(lacking, " or ")
	default:
		whom = fmt.Sprintf("%s of %s", spelt(needed), namesOf(lacking))
	}
	if able < s.Quorum {
		return "Waits for " + whom + ". Some of those who voted are gone: if this vote settles nothing, nothing more becomes final."
	}
	text := "Waits for " + whom + "; that happens by itself within two minutes"
	if 2*chain.Dwell(s.Since, s.Voting) > twoMinutes {
		text = "Waits for " + whom + "; that happens by itself, within an hour or two"
	}
	if here >= needed {
		return text + "."
	}
	return text + " once they are online."
}

// twoMinutes in ms. A program votes after two dwells at most, which grow with each round
// that did not settle, up to an hour each.
const twoMinutes = 120_000

var numerals = [...]string{"none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}

func spelt(n int) string {
	if n < len(numerals) {
		return numerals[n]
	}
	return fmt.Sprint(n)
}

// withstands says what the voters bear and what they do not.
func withstands(s node.Settlement) []string {
	if s.Kind != node.ChatGroup || len(s.Voters) == 0 {
		return nil
	}
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	const witness = "A witness helps: any further member whose device is mostly on and whom you trust not to lie."
	switch n := len(s.Voters); {
	case s.Gone():
		add("%s, and %s.", votersSentence(s), enough(s))
		add("Too few of those who vote are still here with the device they vote by. As long as that is so nothing more becomes final. Nothing is lost: the group goes on, and where two changes exclude each other the more senior admin's counts; what is open can be undone. %s", remedy(s))
	case n == 1:
		who, verb := s.Voters[0].Person, "decides"
		if who.Me {
			verb = "decide"
		}
		add("%s alone %s what can no longer be undone, on one device. If that is lost, nothing more becomes final.", atStart(who), verb)
		add(witness)
	case n == 2:
		add("Two vote, and both are needed. So neither removal of one of the two becomes final as long as that one does not agree.")
		add(witness)
	case n == 3:
		add("Three vote, and two of them are enough. None of them may lie: one liar among three could tell each of the others that their side is final.")
		add("A fourth voter changes that. " + witness)
	default:
		add("%s vote, and %s of them are enough. %s", capital(spelt(n)), spelt(s.Quorum), bears(s))
	}
	for _, v := range s.Voters {
		switch {
		case v.Heir:
			add("%s with a new device once the newest changes are settled.", verbOf(v.Person, "vote", "votes"))
		case v.Device == (wire.DeviceID{}):
			add("%s no device in this group now and cannot vote.", verbOf(v.Person, "have", "has"))
		}
	}
	if s.Muted {
		add("This device never votes: another copy of it is, or was, running.")
	}
	return list
}

func votersSentence(s node.Settlement) string {
	if n := len(s.Voters); n > 1 {
		return capital(spelt(n)) + " vote"
	}
	return "One votes"
}

func enough(s node.Settlement) string {
	switch {
	case len(s.Voters) == 1:
		return "nobody else"
	case s.Quorum == len(s.Voters):
		return "all of them are needed"
	}
	return spelt(s.Quorum) + " of them are enough"
}

// bears says how many of many voters may be lost, by how many are gone already.
func bears(s node.Settlement) string {
	able := 0
	for _, v := range s.Voters {
		if v.Able() {
			able++
		}
	}
	lost := len(s.Voters) - able
	if lost == 0 {
		return capital(spelt(s.Liars)) + " of them may lie, or be away for ever, without harm."
	}
	gone := "One of them is gone"
	if lost > 1 {
		gone = capital(spelt(lost)) + " of them are gone"
	}
	return fmt.Sprintf("%s; of the others %s may lie, or be away for ever, without harm.", gone, spelt(max(0, min(s.Liars, able-s.Quorum))))
}

// remedy says what lets a group settle again of which too few voters are left: only
// who was removed, or left, can be added again with the device that votes.
func remedy(s node.Settlement) string {
	left, back := 0, []node.Person(nil)
	for _, v := range s.Voters {
		switch {
		case v.Voted || v.Able():
			left++
		case v.Left:
			back = append(back, v.Person)
		}
	}
	switch needed := s.Quorum - left; {
	case len(back) < needed:
		return "Only a new group would settle again."
	case len(back) == 1:
		return fmt.Sprintf("Adding %s again, with the device %[1]s had, lets it go on.", nameOf(back[0]))
	case needed == 1:
		return fmt.Sprintf("Adding %s again, with the device they had, lets it go on.", listed(back, " or "))
	case needed == len(back):
		return fmt.Sprintf("Adding %s again, with the devices they had, lets it go on.", namesOf(back))
	default:
		return fmt.Sprintf("Adding %s of %s again, with the devices they had, lets it go on.", spelt(needed), namesOf(back))
	}
}

// verbOf begins a sentence with a person and what they do.
func verbOf(p node.Person, mine, theirs string) string {
	if p.Me {
		return atStart(p) + " " + mine
	}
	return atStart(p) + " " + theirs
}
