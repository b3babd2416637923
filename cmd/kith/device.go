package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

func (p *program) deviceVerb() *cobra.Command {
	return parent("device", "Use Kith on several devices, and revoke one that is lost",
		p.deviceLink(), p.deviceConfirm(), p.deviceCancel(), p.deviceJoin(), p.deviceList(), p.deviceName(), p.deviceRevoke())
}

func (p *program) deviceLink() *cobra.Command {
	var away bool
	c := &cobra.Command{
		Use:   "link",
		Short: "Make a new device yours: shows a link for it, and waits until it is linked",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := call(c.Context(), p.client().NewDeviceLink, &v1.NewDeviceLinkRequest{})
			if err != nil {
				return err
			}
			if !p.show(l) {
				p.println(l.Link)
				p.println("")
				p.println(p.coloured(terminalQR(l.Link)))
				p.println("For ONE new device of yours, good until " + clock(l.ExpiresAt) + ". There, with Kith running: kith device join LINK")
				p.println("Whoever sees this link before that could try it in its place: you compare digits on both devices first.")
			}
			if away {
				return nil
			}
			return p.followLinking(c.Context(), p.askDigits)
		},
	}
	c.Flags().BoolVar(&away, "no-wait", false, "do not wait for the new device: see kith status, and kith device confirm")
	return c
}

// followLinking prints how a linking goes on, until it is done or has failed. When both
// devices show digits it calls compare.
func (p *program) followLinking(ctx context.Context, compare func(context.Context, *v1.DeviceLinking) error) error {
	events, err := p.client().Subscribe(ctx, &v1.SubscribeRequest{})
	if err != nil {
		return err
	}
	defer events.Close()
	n, err := call(ctx, p.client().GetNode, &v1.GetNodeRequest{}) // it may have gone on before
	if err != nil {
		return err
	}
	at := v1.LinkPhase_LINK_PHASE_WAITING
	for l := n.Linking; ; {
		if l != nil && l.Phase != at {
			at = l.Phase
			over, err := p.linkingAt(ctx, l, compare)
			if over || err != nil {
				return err
			}
		}
		for l = nil; l == nil; {
			if !events.Receive() {
				if ctx.Err() != nil {
					return nil
				}
				return halted(events.Err())
			}
			if e := events.Msg().GetNode(); e != nil {
				l = e.Linking
			}
		}
	}
}

// linkingAt prints a phase; over says that there is none after it.
func (p *program) linkingAt(ctx context.Context, l *v1.DeviceLinking, compare func(context.Context, *v1.DeviceLinking) error) (over bool, err error) {
	p.show(l)
	switch l.Phase {
	case v1.LinkPhase_LINK_PHASE_COMPARING:
		return false, compare(ctx, l)
	case v1.LinkPhase_LINK_PHASE_DONE:
		if !p.json {
			p.printf("%s is linked. It gets your friends, chats and what was said, while both are running.\n", oneLine(l.Name))
		}
		return true, nil
	case v1.LinkPhase_LINK_PHASE_FAILED:
		return true, &plainError{l.Trouble}
	}
	return false, nil
}

// askDigits has the person at the first device compare.
func (p *program) askDigits(ctx context.Context, l *v1.DeviceLinking) error {
	if p.json {
		return nil // who reads this says kith device confirm
	}
	p.printf("%s shows six digits. If they are %s, it is yours.\n", oneLine(l.Name), inPairs(l.Digits))
	file, ok := p.in.(*os.File)
	if !ok || !isTerminal(file) {
		p.println("Confirm it: " + p.again("device confirm") + " DIGITS. If they differ: " + p.again("device cancel"))
		return nil
	}
	fmt.Fprint(p.out, "Type the digits that it shows, or nothing to give up: ")
	line, err := bufio.NewReader(file).ReadString('\n')
	digits := strings.TrimSpace(line)
	if err != nil || digits == "" {
		_, err := call(ctx, p.client().CancelDeviceLink, &v1.CancelDeviceLinkRequest{})
		return errors.Join(err, &plainError{"Given up: nothing is linked."})
	}
	_, err = call(ctx, p.client().ConfirmDevice, &v1.ConfirmDeviceRequest{Digits: digits})
	return err
}

// inPairs writes digits so that they are easy to compare.
func inPairs(digits string) string {
	if len(digits) != 6 {
		return digits
	}
	return digits[:3] + " " + digits[3:]
}

func (p *program) deviceConfirm() *cobra.Command {
	return &cobra.Command{
		Use:   "confirm DIGITS",
		Short: "Confirm a new device that shows these digits, as this one does",
		Args:  words(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			l, err := call(c.Context(), p.client().ConfirmDevice, &v1.ConfirmDeviceRequest{Digits: strings.Join(args, "")})
			if err != nil || p.show(l) {
				return err
			}
			p.println("Confirmed.")
			return nil
		},
	}
}

func (p *program) deviceCancel() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel",
		Short: "Give up the link for a new device",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := call(c.Context(), p.client().CancelDeviceLink, &v1.CancelDeviceLinkRequest{})
			if err != nil || p.show(l) {
				return err
			}
			p.println("There is no link for a new device any more.")
			return nil
		},
	}
}

func (p *program) deviceJoin() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "join LINK",
		Short: "Make this home, which has no identity yet, a device of yours, by a link that another device shows",
		Args:  words(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if name == "" {
				name = hostName()
			}
			_, err := call(c.Context(), p.client().JoinPerson, &v1.JoinPersonRequest{Link: args[0], Name: name})
			if connect.CodeOf(err) == connect.CodeCanceled {
				return nil
			}
			if err != nil {
				return err
			}
			if !p.json {
				p.println("Looking for your other device ...")
			}
			return p.followLinking(c.Context(), func(_ context.Context, l *v1.DeviceLinking) error {
				if !p.json {
					p.printf("Both devices must show %s. Confirm it on the other one.\n", inPairs(l.Digits))
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&name, "name", "", "what this device is to be called (default: the name of the machine)")
	return c
}

// hostName is what a device is called that was given no name.
func hostName() string {
	if host, err := os.Hostname(); err == nil && host != "" {
		return host
	}
	return "New device"
}

func (p *program) deviceList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List your devices",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := call(c.Context(), p.client().ListDevices, &v1.ListDevicesRequest{})
			if err != nil {
				return err
			}
			p.listDevices(list)
			return nil
		},
	}
}

func (p *program) listDevices(list *v1.ListDevicesResponse) {
	var rows [][]string
	for _, d := range list.Devices {
		p.show(d)
		rows = append(rows, []string{short(d.Id), deviceTitle(d), ownDeviceText(d)})
	}
	if !p.json {
		p.table(rows)
	}
}

func deviceTitle(d *v1.Device) string {
	if d.Name == "" {
		return "(no name)"
	}
	return oneLine(d.Name)
}

func ownDeviceText(d *v1.Device) string {
	switch {
	case d.Revoked:
		return "revoked"
	case d.This:
		return "this device"
	case d.Copy:
		return "of a copy of this home; to shut it out: kith revoke"
	case d.Connected:
		return "here now"
	}
	return "not here"
}

func (p *program) deviceName() *cobra.Command {
	return &cobra.Command{
		Use:   "name DEVICE NAME",
		Short: "Call a device of yours by a name",
		Args:  words(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			list, err := call(c.Context(), p.client().NameDevice, &v1.NameDeviceRequest{Device: args[0], Name: args[1]})
			if err != nil {
				return err
			}
			p.listDevices(list)
			return nil
		},
	}
}

func (p *program) deviceRevoke() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke DEVICE",
		Short: "Shut a lost or stolen device of yours out of everything, for good",
		Args:  words(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			list, err := call(c.Context(), p.client().RevokeDevice, &v1.RevokeDeviceRequest{Device: args[0]})
			if err != nil {
				return err
			}
			if !p.json {
				p.println("Revoked. It is taken out of your chats as their members learn of it, and keeps what it had.")
			}
			p.listDevices(list)
			return nil
		},
	}
}
