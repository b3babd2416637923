package api

import (
	"encoding/hex"
	"fmt"

	"kith/internal/chain"
	"kith/internal/node"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

// What was shown to be wrong in a group: who signed what cannot both be, who hid a
// change, and that a split is healed.

func incidentOf(in node.Incident) *v1.Incident {
	out := &v1.Incident{
		Kind: v1.IncidentKind(in.Kind), ChatId: in.Chat.String(), Sentence: incidentSentence(in),
		About: about(in), Person: somebody(in.Person),
	}
	if in.Device != (wire.DeviceID{}) {
		out.Device = in.Device.String()
	}
	if in.Block != (wire.BlockHash{}) {
		out.Block = in.Block.String()
	}
	for _, x := range in.Proof {
		out.Proof = append(out.Proof, exhibitOf(x, in))
	}
	return out
}

// about names what an incident is about.
func about(in node.Incident) string {
	switch in.Kind {
	case node.IncidentSettled:
		return "settled"
	case node.IncidentTwice, node.IncidentElsewhere:
		return "conflict"
	case node.IncidentVoted:
		return "voted " + in.Device.String()
	case node.IncidentSigned:
		return fmt.Sprintf("signed %d %s", in.What, in.Device)
	case node.IncidentStill:
		return "standstill"
	case node.IncidentSplit:
		return "split " + in.Block.String()
	}
	return in.Block.String() + " " + in.Device.String()
}

func exhibitOf(x node.Exhibit, in node.Incident) *v1.Exhibit {
	out := &v1.Exhibit{Kind: "votes", Hash: x.Hash.String(), Hex: hex.EncodeToString(x.Bytes)}
	switch {
	case x.Header != nil:
		out.Kind, out.Sentence = "block", fmt.Sprintf("Block %d.", x.Height)
		for _, c := range x.Changes {
			out.Sentence += " " + sentenceOf(in.Person, c)
		}
	case x.Entry != nil:
		out.Kind, out.Sentence = "entry", fmt.Sprintf("Message number %d of this device.", x.Entry.Seq)
	case x.Vote != nil:
		out.Kind = "vote"
		out.Sentence = fmt.Sprintf("In round %d for block %d, %.8s.", x.Vote.Round, x.Height, x.Vote.Block.String())
	default:
		out.Sentence = fmt.Sprintf("The votes that settle block %d, %.8s.", x.Height, x.Hash.String())
	}
	return out
}

// incidentSentence is one sentence, or a few, for whoever reads it: no word of how
// it works inside.
func incidentSentence(in node.Incident) string {
	switch in.Kind {
	case node.IncidentSettled:
		if len(in.By) == 0 {
			return fmt.Sprintf("Changes up to number %d can no longer be undone.", in.Height)
		}
		return fmt.Sprintf("%s voted: changes up to number %d can no longer be undone.", capital(namesOf(in.By)), in.Height)
	case node.IncidentTwice:
		if in.Stopped {
			return "Those who vote made two things final that exclude each other, so more of them lied than this group bears. Nothing more becomes final until its owner says which one counts."
		}
		return "Those who vote made two things final that exclude each other. Leaving out whoever lied, one of them counts; the liars' devices are taken out."
	case node.IncidentElsewhere:
		return "Somebody made another course of this group final, by votes that exclude what is final here. What is final here stays. Whoever sees the other course has to leave the group and be invited again."
	case node.IncidentVoted:
		return fmt.Sprintf("%s voted for two things at once. %s", capital(deviceOf(in)), liar(in))
	case node.IncidentSigned:
		what := "made two different changes in the same place"
		if in.What == chain.SlashEntries {
			what = "wrote two different messages in the same place"
		}
		return fmt.Sprintf("%s %s. %s", capital(deviceOf(in)), what, liar(in))
	case node.IncidentStuck:
		if in.Own {
			return fmt.Sprintf("This device cannot follow the keys of a change by %s. It comes back by itself, or an admin starts the keys anew.", nameOf(in.Author))
		}
		return fmt.Sprintf("%s cannot follow the keys of a change by %s.", capital(deviceOf(in)), nameOf(in.Author))
	case node.IncidentRestarted:
		return atStart(in.Person) + " started the keys of the group anew."
	case node.IncidentParked:
		if in.Own {
			return fmt.Sprintf("%s set this device aside, because it was not here for long. It comes back by itself.", atStart(in.Author))
		}
		return fmt.Sprintf("%s set %s aside, which was not here for long. It comes back by itself.", atStart(in.Author), deviceOf(in))
	case node.IncidentRejoined:
		return atStart(in.Person) + " rejoined."
	case node.IncidentSplit:
		return healed(in.Split)
	case node.IncidentStill:
		return "Too few of those who vote are left: from here on nothing more becomes final. See who votes for what helps."
	}
	return ""
}

func deviceOf(in node.Incident) string {
	return fmt.Sprintf("a device of %s (%.8s)", whose(in.Person), in.Device.String())
}

// liar says what follows for a device that signed two things.
func liar(in node.Incident) string {
	verdict := "It is being taken out"
	if in.Block != (wire.BlockHash{}) {
		verdict = "It was taken out"
	}
	stays := nameOf(in.Person) + " stays"
	if in.Person.Me {
		stays = "you stay"
	}
	return fmt.Sprintf("No honest program does that: it was altered, or its key was copied. %s; %s a member.", verdict, stays)
}

// healed tells of a split that is over.
func healed(s *node.Split) string {
	text := "The group was split and is whole again; "
	undone, again := "1 change was undone", "1 was done again"
	if s.Undone != 1 {
		undone = fmt.Sprintf("%d changes were undone", s.Undone)
	}
	if s.Again != 1 {
		again = fmt.Sprintf("%d were done again", s.Again)
	}
	if s.Again == 0 {
		return text + undone + "."
	}
	return text + undone + ", " + again + "."
}
