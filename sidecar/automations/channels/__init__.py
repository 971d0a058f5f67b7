"""Channels: how a message leaves. `model` is the interface, a provider is a small module."""
