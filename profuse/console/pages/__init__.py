"""The pages, one file each: what is asked, and what the template gets."""
