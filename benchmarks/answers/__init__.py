"""Whether symptoms planted into a real model's answers are found, and whether its sound answers are left alone."""
