package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

// groupVoters shows who votes on what can no longer be undone, and names others.
func (p *program) groupVoters() *cobra.Command {
	var set string
	c := p.groupVerbOf("voters GROUP", "Say who votes on what can no longer be undone, what that bears and what it waits for; --set names others",
		func(ctx context.Context, group string) error {
			s, err := p.settlement(ctx, group, set)
			if err != nil || p.show(s) {
				return err
			}
			if set != "" && len(s.Coming) > 0 {
				p.println(chosenText(s))
			}
			p.printSettlement(s)
			return nil
		})
	c.Flags().StringVar(&set, "set", "", "who votes from then on: `NAME,NAME`; of a group's admins only")
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if c.Flags().Changed("set") && strings.Trim(set, ", ") == "" {
			return &usageError{"--set names at least one member; usage: " + c.UseLine()}
		}
		return run(c, args)
	}
	return c
}

func (p *program) settlement(ctx context.Context, group, set string) (*v1.Settlement, error) {
	if set == "" {
		return call(ctx, p.client().GetSettlement, &v1.GetSettlementRequest{Group: group})
	}
	var people []string
	for name := range strings.SplitSeq(set, ",") {
		if name = strings.TrimSpace(name); name != "" {
			people = append(people, name)
		}
	}
	return call(ctx, p.client().SetVoters, &v1.SetVotersRequest{Group: group, Persons: people})
}

// printSettlement says what is settled, who votes, and what there is against whom.
func (p *program) printSettlement(s *v1.Settlement) {
	rows := [][]string{{"settled", settledSpan(s)}}
	if s.Open > 0 {
		rows = append(rows, []string{"open", openText(s)})
	}
	for i, v := range s.Voters {
		label := ""
		if i == 0 {
			label = "voters"
		}
		text := nameOf(v.Person)
		switch {
		case v.Device == "":
			text += ": without a device when this began, cannot vote"
		case v.Gone && v.Person.GetMe() && s.Muted:
			text += ": never vote again with this device"
		case v.Gone && v.Voted:
			text += ": voted in round " + number(s.VotingRound) + "; not here any more with the device they vote by"
		case v.Gone:
			text += ": not here any more with the device they vote by, cannot vote"
		case v.Voted:
			text += ": voted in round " + number(s.VotingRound)
		}
		rows = append(rows, []string{label, text})
	}
	if len(s.Voters) > 0 {
		rows = append(rows, []string{"needed", number(uint64(s.Quorum)) + " of " + number(uint64(len(s.Voters))) + "; " + count(int(s.Liars), "liar does", "liars do") + " no harm"})
	}
	if len(s.Coming) > 0 {
		rows = append(rows, []string{"chosen", namesOf(s.Coming) + ", once that is settled"})
	}
	p.table(rows)
	for _, line := range s.Withstands {
		p.println(oneLine(line))
	}
	for _, in := range s.Incidents {
		p.printIncident(in)
	}
}

// chosenText says when those vote who were chosen.
func chosenText(s *v1.Settlement) string {
	left := 0
	for _, v := range s.Voters {
		if v.Voted || v.Device != "" && !v.Gone {
			left++
		}
	}
	if left < int(s.Quorum) {
		return "They vote once those who vote now have settled that; too few of those are left for it now."
	}
	return "They vote once those who vote now have settled that."
}

func settledSpan(s *v1.Settlement) string {
	if s.Round == 0 {
		return "up to block " + number(s.Height) + " [" + short(s.Settled) + "]"
	}
	return "up to block " + number(s.Height) + " [" + short(s.Settled) + "], by " + namesOf(s.SettledBy) + " in round " + number(s.Round)
}

func openText(s *v1.Settlement) string {
	text := count(int(s.Open), "block", "blocks") + " above it"
	if s.VotingRound > 0 {
		text += ", round " + number(s.VotingRound)
	}
	if s.Waiting != "" {
		text += ": " + strings.ToLower(s.Waiting[:1]) + oneLine(strings.TrimSuffix(s.Waiting[1:], "."))
	}
	return text
}

// printIncident prints what happened and, of what proves it, the hashes; all of
// their bytes are in --json.
func (p *program) printIncident(in *v1.Incident) {
	p.println("")
	p.println(oneLine(in.Sentence))
	for _, x := range in.Proof {
		p.printf("  %s %s: %s", x.Kind, short(x.Hash), oneLine(x.Sentence))
	}
	if len(in.Proof) > 0 {
		p.println("  Their bytes are the proof: kith group voters --json shows them.")
	}
}
