"""The Singer target that makes files of the records of media, and passes over all others."""
