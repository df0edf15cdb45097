"""The XMP packet of a finished picture. It says in words that machines read that a model made the picture."""

from typing import Final

from pipeline.protocol.program import easel_version

KEYWORD: Final = "XML:com.adobe.xmp"
"""Keyword of the packet's `iTXt` chunk in a PNG file."""
_PACKET: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"\
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" Iptc4xmpExt:DigitalSourceType="{source_type}"\
 xmp:CreatorTool="{tool}"/></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
_TOOL: Final = f"Easel {easel_version()}"


def xmp_packet(source_type: str) -> str:
    """The packet with the digital source type and the name of this program.

    Args:
        source_type: an address of IPTC's list, as in `pipeline.protocol.provenance.source_types`.
    """
    return _PACKET.format(source_type=source_type, tool=_TOOL)
