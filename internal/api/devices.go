package api

import (
	"context"

	"kith/internal/node"
	v1 "kith/proto/kith/v1"
)

func (s *service) ListDevices(context.Context, *v1.ListDevicesRequest) (*v1.ListDevicesResponse, error) {
	list, err := s.node.OwnDevices()
	if err != nil {
		return nil, asConnect(err)
	}
	out := new(v1.ListDevicesResponse)
	for _, d := range list {
		device := &v1.Device{
			Id: d.ID.String(), Name: d.Name, This: d.This, Copy: d.Copy, Revoked: d.Revoked, Connected: d.Connected, LinkedAt: d.Since,
		}
		if d.Since != 0 {
			device.LinkedBy = d.By.String()
		}
		out.Devices = append(out.Devices, device)
	}
	return out, nil
}

func (s *service) NewDeviceLink(context.Context, *v1.NewDeviceLinkRequest) (*v1.DeviceLinking, error) {
	l, err := s.node.NewDeviceLink()
	if err != nil {
		return nil, asConnect(err)
	}
	out := linkingOf(l)
	out.Link = l.Link
	return out, nil
}

func (s *service) ConfirmDevice(_ context.Context, r *v1.ConfirmDeviceRequest) (*v1.DeviceLinking, error) {
	if err := s.node.ConfirmDevice(onlyDigits(r.Digits)); err != nil {
		return nil, asConnect(err)
	}
	return linkingOf(s.node.Linking()), nil
}

// onlyDigits is what somebody means who writes digits in groups.
func onlyDigits(s string) string {
	var b []byte
	for _, c := range []byte(s) {
		if c != ' ' && c != '-' {
			b = append(b, c)
		}
	}
	return string(b)
}

func (s *service) CancelDeviceLink(context.Context, *v1.CancelDeviceLinkRequest) (*v1.DeviceLinking, error) {
	s.node.CancelDeviceLink()
	return linkingOf(s.node.Linking()), nil
}

func (s *service) JoinPerson(_ context.Context, r *v1.JoinPersonRequest) (*v1.DeviceLinking, error) {
	if err := s.node.JoinPerson(r.Link, r.Name); err != nil {
		return nil, asConnect(err)
	}
	return linkingOf(s.node.Linking()), nil
}

func (s *service) NameDevice(ctx context.Context, r *v1.NameDeviceRequest) (*v1.ListDevicesResponse, error) {
	d, err := s.node.FindDevice(r.Device)
	if err == nil {
		err = s.node.NameDevice(d, r.Name)
	}
	if err != nil {
		return nil, asConnect(err)
	}
	return s.ListDevices(ctx, nil)
}

func (s *service) RevokeDevice(ctx context.Context, r *v1.RevokeDeviceRequest) (*v1.ListDevicesResponse, error) {
	d, err := s.node.FindDevice(r.Device)
	if err == nil {
		err = s.node.RevokeDevice(d)
	}
	if err != nil {
		return nil, asConnect(err)
	}
	return s.ListDevices(ctx, nil)
}

// linkingOf leaves the link out: who looks at a node's state has no need of it.
func linkingOf(l node.Linking) *v1.DeviceLinking {
	out := &v1.DeviceLinking{Phase: v1.LinkPhase(l.Phase), ExpiresAt: l.Expiry, Digits: l.Digits, Name: l.Name}
	if l.Phase >= node.LinkComparing {
		out.DeviceId = l.Device.String()
	}
	if l.Phase == node.LinkFailed {
		out.Trouble = Explain(&node.Error{Reason: node.Reason(l.Why)}).String()
	}
	return out
}
