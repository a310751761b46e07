"""What Mizan is measured against, written as its own users would write it. Needs the extra `bench`."""
