namespace Hosting.Grains.Placement;

/// <summary>A newer activation of the region's placement exists, so this one's commit was refused and nothing was changed. Try again.</summary>
[GenerateSerializer, Alias("hosting.PlacementFencedException")]
public sealed class PlacementFencedException : Exception
{
    /// <summary>For serializers.</summary>
    public PlacementFencedException()
    {
    }

    /// <summary>A refused commit in that region.</summary>
    public PlacementFencedException(string region) : base($"The placement of region {region} moved to another silo; try again.")
    {
    }
}
