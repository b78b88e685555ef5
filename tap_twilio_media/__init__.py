"""Singer tap for Twilio messages, their media and the media of Twilio Conversations."""
