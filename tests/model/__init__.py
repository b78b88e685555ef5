"""A model of an account over time: whatever happens, the tables come to hold what Twilio holds."""
