"""What attention costs as the text grows: its contenders, and time and memory measured here and now."""
