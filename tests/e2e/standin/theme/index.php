<?php // Debian's package has no theme: this one prints what a page says.
?><!doctype html><html><head><?php wp_head(); ?></head><body><?php
while ( have_posts() ) {
	the_post();
	the_content();
}
wp_footer();
?></body></html>
